using Pulse.Web.Profiles;

namespace Pulse.Web.Tests.Users;

public sealed class ProfileRulesTests
{
    public static TheoryData<string> GoodNames => ["A", "Ada Lovelace", "Ωμέγα", "李", "👩‍💻", "O'Brien-Smith", "می‌خواهم", new string('x', 200)];

    public static TheoryData<string> GoodAvatars =>
        ["https://example.com", "https://localhost:8080/a.png?x=1#y", "HTTPS://EXAMPLE.COM/%20", $"https://example.com/{new string('a', 2028)}"];

    [Theory]
    [MemberData(nameof(GoodNames))]
    public void NameFault_GoodName_IsNone(string name) => Assert.Null(ProfileRules.NameFault(name));

    [Theory]
    [InlineData("\u200Fדנה כהן", "דנה כהן")]
    [InlineData("\u200Eعمر\u061C", "عمر")]
    [InlineData("می\u200Cخواهم", "می\u200Cخواهم")]
    [InlineData("\u200F", null)]
    [InlineData("a\u202Eb", null)]
    [InlineData(null, null)]
    public void UsableName_LosesItsDirectionMarks_AndNothingElse(string? name, string? expected) => Assert.Equal(expected, ProfileRules.UsableName(name));

    [Theory]
    [MemberData(nameof(GoodAvatars))]
    public void AvatarFault_GoodUrl_IsNone(string avatar) => Assert.Null(ProfileRules.AvatarFault(avatar));

    // By name instead of value, because a test runner's report cannot hold an unpaired surrogate.
    [Theory]
    [InlineData("empty", "")]
    [InlineData("white space", " \u00A0\u2003 ")]
    [InlineData("nothing visible", "\u200B\u2060")]
    [InlineData("line break", "a\nb")]
    [InlineData("NUL", "a\u0000")]
    [InlineData("C1 control", "a\u0085")]
    [InlineData("line separator", "a\u2028b")]
    [InlineData("right-to-left override", "a\u202Eb")]
    [InlineData("isolate", "\u2066a")]
    [InlineData("high surrogate alone", null)]
    [InlineData("low surrogate alone", null)]
    [InlineData("too long", null)]
    public void NameFault_BadName_IsASentence(string kind, string? name) => Assert.EndsWith(".", ProfileRules.NameFault(name ?? kind switch
    {
        "high surrogate alone" => "a" + (char)0xD83D,
        "low surrogate alone" => (char)0xDE00 + "a",
        _ => new string('x', 201),
    }), StringComparison.Ordinal);

    [Theory]
    [InlineData("")]
    [InlineData("a.png")]
    [InlineData("/a.png")]
    [InlineData("//example.com/a.png")]
    [InlineData("example.com/a.png")]
    [InlineData("ftp://example.com/a.png")]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:image/png;base64,AA==")]
    [InlineData("http://example.com/a.png")]
    [InlineData("HTTP://example.com/a.png")]
    [InlineData("https://")]
    [InlineData("https:///a")]
    [InlineData(" https://example.com")]
    [InlineData("https://example.com/a b")]
    [InlineData("https://example.com/\n")]
    [InlineData("https://example.com/\"><script>")]
    [InlineData("https://example.com\\@evil.example")]
    public void AvatarFault_NoHttpUrl_IsASentence(string avatar) => Assert.EndsWith(".", ProfileRules.AvatarFault(avatar), StringComparison.Ordinal);

    [Fact]
    public void AvatarFault_TooLong_IsASentence() =>
        Assert.EndsWith(".", ProfileRules.AvatarFault($"https://example.com/{new string('a', 2029)}"), StringComparison.Ordinal);
}
