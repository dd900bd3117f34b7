using System.Globalization;
using Pulse.Identity;
using Pulse.Web.Dashboard;
using Pulse.Web.Home;
using Pulse.Web.Pages.Parts;
using Pulse.Web.SignIn;

namespace Pulse.Web.Tests.Pages;

/// <summary>The short texts of pages.</summary>
public sealed class WordsTests
{
    private static readonly DateTimeOffset s_now = new(2030, 3, 31, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("-00:05:00", "just now")]
    [InlineData("00:00:59", "just now")]
    [InlineData("00:01:00", "1 minute ago")]
    [InlineData("00:59:59", "59 minutes ago")]
    [InlineData("01:00:00", "1 hour ago")]
    [InlineData("23:59:59", "23 hours ago")]
    [InlineData("1.00:00:00", "1 day ago")]
    [InlineData("29.23:59:59", "29 days ago")]
    [InlineData("30.00:00:00", "1 March 2030")]
    public void RelativeTime_OfAnAge_IsItsText(string age, string words) =>
        Assert.Equal(words, RelativeTime.Words(s_now - TimeSpan.Parse(age, CultureInfo.InvariantCulture), s_now, PageTextsTests.Texts()));

    [Theory]
    [InlineData("Ada Lovelace", "AL")]
    [InlineData("ada", "A")]
    [InlineData("Ada King, Countess of Lovelace", "AL")]
    [InlineData("🎉 Åsa (she)", "ÅS")]
    [InlineData("张 伟", "张伟")]
    [InlineData("🎉 👩‍💻", "🎉")]
    [InlineData(" 👩‍💻", "👩‍💻")]
    [InlineData("e\u0301mile", "E\u0301")]
    public void Initials_OfAName_AreItsFirstAndLastLetter(string name, string initials) => Assert.Equal(initials, Initials.Of(name));

    [Theory]
    [InlineData("Firefox on Windows, by E-mail link", "Firefox auf Windows, über Link per E-Mail")]
    [InlineData("Browser on Linux, by Development sign-in", "Browser auf Linux, über Anmeldung der Entwicklung")]
    [InlineData("Unknown device", "Unbekanntes Gerät")]
    // Names of programs and providers stay, also if they are a text of the pages.
    [InlineData("Dashboard, by Sign in, by day", "Dashboard, über Sign in, by day")]
    public void Notice_OfADevice_IsTranslatedWithItsParts(string detail, string expected) => PageTextsTests.InGerman(() =>
        Assert.Equal($"Ein neues Gerät hat sich als Sie angemeldet: {expected}.", PageTextsTests.Texts()[NoticeWords.For(AccountNoticeKind.NewDevice, detail)!.Value]));

    [Theory]
    [InlineData("E-mail link (ada@example.com)", "Link per E-Mail (ada@example.com)")]
    [InlineData("E-mail link", "Link per E-Mail")]
    [InlineData("Acme (Europe) (ada@example.com)", "Acme (Europe) (ada@example.com)")]
    [InlineData("Link", "Link")]
    public void Notice_OfAnAccount_IsTranslatedWithItsParts(string detail, string expected) => PageTextsTests.InGerman(() =>
        Assert.Equal(
            $"Ein Konto wurde verknüpft: {expected}. Es kann Sie von nun an anmelden.", PageTextsTests.Texts()[NoticeWords.For(AccountNoticeKind.Linked, detail)!.Value]));

    [Fact]
    public void ProfileForm_UpdatesOnlyTheFieldsThatDifferFromThePage()
    {
        var form = new ProfileForm("Ada", "https://example.com/new.png") { ShownName = "Ada", ShownAvatar = "https://example.com/old.png" };

        Assert.Equal(new() { Avatar = "https://example.com/new.png", EditsAvatar = true }, form.ToUpdate());
        Assert.Equal(new() { Name = "Ada", EditsName = true }, (form with { ShownName = "Eve", ShownAvatar = form.Avatar }).ToUpdate());
        Assert.Equal(new(), (form with { ShownAvatar = form.Avatar }).ToUpdate());
    }

    [Fact]
    public void ProfileForm_WithAnEmptyPicture_RemovesIt()
    {
        var update = new ProfileForm("Ada", "").ToUpdate();

        Assert.True(update.RemoveAvatar);
        Assert.Null(update.Avatar);
    }

    [Theory]
    [InlineData("", "", true, false)]
    [InlineData("Ada", "javascript:alert(1)", false, true)]
    [InlineData("Ada", "https://example.com/a.png", false, false)]
    public void ProfileForm_FollowsTheProfileRules(string name, string avatar, bool nameFault, bool avatarFault)
    {
        var form = new ProfileForm(name, avatar);

        Assert.Equal((nameFault, avatarFault), (form.NameFault is not null, form.AvatarFault is not null));
    }

    // The page asks people to copy these lines, so they must be the ones that run.
    [Fact]
    public void ExamplePage_ShowsTheLinesThatProtectIt()
    {
        var source = File.ReadAllText(Path.Combine(Checkout.Root, "src", "Pulse.Web", "Home", "ExampleEndpoint.cs")).Split("\"\"\"")[^1];

        Assert.All(
            ExampleEndpoint.Code.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
            line => Assert.Contains(line, source, StringComparison.Ordinal));
    }
}
