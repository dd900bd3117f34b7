using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Web;

namespace Pulse.Web.Tests.SignIn;

/// <summary>
/// The harm that an intruder with a short-lived session can do to its owner: link, unlink, change the address; and the notices that the
/// owner gets.
/// </summary>
[Collection(SharedSignIn.Name)]
public sealed partial class LinkingTests : IDisposable
{
    private readonly SignInFixture _pulse;
    private readonly Browser _owner, _burglar;
    private readonly string _person = $"l{Guid.NewGuid():N}";

    public LinkingTests(SignInFixture pulse)
    {
        (_pulse, _owner, _burglar) = (pulse, pulse.NewBrowser(), pulse.NewBrowser());
        pulse.Hostile.Reset();
    }

    private string Email => $"{_person}@example.com";

    public void Dispose()
    {
        _pulse.Hostile.Reset();
        _owner.Dispose();
        _burglar.Dispose();
    }

    [Fact]
    public async Task Proof_IsUsedOnce()
    {
        await SignInByMailAsync(_owner);
        var proof = await LinkAddressAsync();
        var early = await BeginAsync(_owner, proof, "early");

        Assert.StartsWith("/dashboard", (await LinkAsync(proof, "first")).Path, StringComparison.Ordinal);

        Assert.Equal(HttpStatusCode.BadRequest, (await LinkAsync(proof, "second")).Status);
        Assert.Equal(HttpStatusCode.BadRequest, (await FinishAsync(_owner, early, "early")).Status);
        Assert.Equal(["email", "hostile"], (await ListAsync()).Select(account => account.Provider));

        // The proof stays invalid after its account is unlinked.
        Assert.Equal(HttpStatusCode.NoContent, await UnlinkAsync("hostile"));
        Assert.Equal(HttpStatusCode.BadRequest, (await LinkAsync(proof, "third")).Status);
    }

    [Fact]
    public async Task TwoAccountsOfOneProvider_AreListedEachWithItsAddress_AndUnlinkedByThemselves()
    {
        await SignInByMailAsync(_owner);
        await LinkAsync(await LinkAddressAsync(), "one");
        await LinkAsync(await LinkAddressAsync(), "two");

        var accounts = await ListAsync();
        Assert.Equal([Email, AddressOf("one"), AddressOf("two")], accounts.Select(account => account.Email));
        var dashboard = (await _owner.GetAsync("/dashboard")).Body;
        Assert.All(accounts, account => Assert.Contains(account.Email!, dashboard, StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.NoContent, await UnlinkAsync(accounts[1].Id!));
        Assert.Equal([Email, AddressOf("two")], (await ListAsync()).Select(account => account.Email));
    }

    [Fact]
    public async Task Unlink_EndsTheSessionsOfThatAccount_AndNoOthers()
    {
        await SignInByMailAsync(_owner);
        await LinkAsync(await LinkAddressAsync(), "burglar");
        await SignInAsync(_burglar, "burglar");
        Assert.Equal(await _owner.WhoAmIAsync(), Assert.NotNull(await _burglar.WhoAmIAsync()));

        Assert.Equal(HttpStatusCode.NoContent, await UnlinkAsync("hostile"));

        Assert.Null(await _burglar.WhoAmIAsync());
        Assert.NotNull(await _owner.WhoAmIAsync());
        Assert.Equal(1L, await _pulse.QueryAsync($"SELECT count(*) FROM sessions WHERE user_id = '{await _owner.WhoAmIAsync()}'"));
    }

    [Fact]
    public async Task SignInOfMoreThanTenMinutes_ChangesNothing()
    {
        await SignInByMailAsync(_owner);
        await LinkAsync(await LinkAddressAsync(), "one");
        var (proof, dashboard) = (await LinkAddressAsync(), await _owner.GetAsync("/dashboard"));
        await _pulse.AgeSessionsAsync(_owner, TimeSpan.FromMinutes(11));

        Assert.Equal(HttpStatusCode.Forbidden, (await _owner.GetAsync(proof)).Status);
        Assert.Equal(HttpStatusCode.Forbidden, await UnlinkAsync("hostile"));
        var form = new Regex("name=\"formToken\" value=\"([^\"]*)\"").Match(dashboard.Body).Groups[1].Value;
        Assert.Equal(HttpStatusCode.Forbidden, (await _owner.PostAsync("/dashboard/accounts/unlink", ("formToken", form), ("account", "hostile"))).Status);
        Assert.Equal(HttpStatusCode.Forbidden, (await _owner.PostAsync("/dashboard/email", ("formToken", form), ("email", $"new.{Email}"))).Status);

        Assert.Equal(2, (await ListAsync()).Length);
        var now = (await _owner.GetAsync("/dashboard")).Body;
        Assert.Contains("sign in again", now, StringComparison.Ordinal);
        Assert.DoesNotContain("proof=", now, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Owner_IsNotifiedOfLinkUnlinkAndNewDevice_ByMailAndOnTheDashboard()
    {
        await SignInByMailAsync(_owner);
        await LinkAsync(await LinkAddressAsync(), "burglar");
        await SignInAsync(_burglar, "burglar");
        await SignInAsync(_burglar, "burglar");
        await UnlinkAsync("hostile");

        foreach (var words in new[] { "An account was linked", "A new device signed in", "An account was unlinked" })
            Assert.Contains(words, (await _pulse.Mailbox.NextNoticeAsync(Email, words)).HtmlBody, StringComparison.Ordinal);

        // Only the first sign-in in the burglar's browser makes a notice. The second one, and the first sign-in of a user, make none.
        var dashboard = (await _owner.GetAsync("/dashboard")).Body;
        Assert.Equal(
            ["An account was unlinked", "A new device signed in", "An account was linked"],
            Notice().Matches(dashboard).Select(match => match.Value));
        Assert.Contains(AddressOf("burglar"), dashboard, StringComparison.Ordinal);

        // The parts of the details are translated too, and the reasons of the providers that are unavailable.
        var german = WebUtility.HtmlDecode((await _owner.SendAsync(new(HttpMethod.Get, "/dashboard") { Headers = { { "Accept-Language", "de" } } })).Body);
        Assert.Contains("Ein neues Gerät hat sich als Sie angemeldet: Unbekanntes Gerät, über ", german, StringComparison.Ordinal);
        Assert.Matches(@"Link per E-Mail\s*<span", german);
        Assert.Matches(@"Unbekanntes Gerät\s*<span", german);
        Assert.Matches("Nicht verfügbar: (antwortet nicht|das Discovery-Dokument)", german);
        Assert.DoesNotMatch("(?i)unknown device|e-mail link|does not|its discovery", german);
    }

    [Fact]
    public async Task Address_IsChangedByALink_InASessionOfTheUserWhoAsked()
    {
        await SignInByMailAsync(_owner);
        await SignInAsync(_burglar, "another user");
        var link = await AskForAddressAsync(_owner, $"new.{Email}");

        using var nobody = _pulse.NewBrowser();
        Assert.StartsWith("/signin", (await nobody.GetAsync(link)).Path, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.Gone, (await _burglar.GetAsync(link)).Status);
        Assert.Equal(Email, await AddressAsync(_owner));

        var page = await _owner.GetAsync(link);
        Assert.StartsWith("/dashboard", (await _owner.SubmitAsync(page)).Path, StringComparison.Ordinal);

        Assert.Equal($"new.{Email}", await AddressAsync(_owner));
        Assert.Equal(HttpStatusCode.Gone, (await _owner.GetAsync(link)).Status);
        Assert.Equal([("email", $"new.{Email}")], (await ListAsync()).Select(account => (account.Provider, account.Email!)));
        Assert.Contains($"new.{Email}", (await _pulse.Mailbox.NextNoticeAsync(Email, "address was changed")).TextBody, StringComparison.Ordinal);

        // The former mailbox belongs to no user now, and the new one signs in.
        using var later = _pulse.NewBrowser();
        await SignInByMailAsync(later);
        Assert.NotEqual(await _owner.WhoAmIAsync(), Assert.NotNull(await later.WhoAmIAsync()));
        await SignInByMailAsync(later, $"new.{Email}");
        Assert.Equal(await _owner.WhoAmIAsync(), await later.WhoAmIAsync());
    }

    [Fact]
    public async Task UnlinkedMailbox_DoesNotSignInAgain_AndIsExported()
    {
        await SignInByMailAsync(_owner);
        await LinkAsync(await LinkAddressAsync(), "one");
        await SignInAsync(_owner, "one");
        Assert.Equal(HttpStatusCode.NoContent, await UnlinkAsync("email"));

        await _burglar.PostAsync("/auth/signin/email", ("email", Email));
        var page = await _burglar.GetAsync(Link().Match((await _pulse.Mailbox.NextAsync(Email)).TextBody!).Value);

        Assert.Equal(HttpStatusCode.Conflict, (await _burglar.SubmitAsync(page)).Status);
        Assert.Null(await _burglar.WhoAmIAsync());
        var export = JsonDocument.Parse((await _owner.GetAsync("/auth/me/export")).Body).RootElement;
        Assert.Equal(Email, Assert.Single(export.GetProperty("unlinkedAccounts").EnumerateArray()).GetProperty("providerAccountId").GetString());
    }

    [Fact]
    public async Task Address_OfAnotherUser_IsRefused()
    {
        await SignInByMailAsync(_burglar);
        await SignInByMailAsync(_owner, $"own.{Email}");

        var page = await _owner.GetAsync(await AskForAddressAsync(_owner, Email));

        Assert.Equal(HttpStatusCode.Conflict, (await _owner.SubmitAsync(page)).Status);
        Assert.Equal($"own.{Email}", await AddressAsync(_owner));
    }

    private string AddressOf(string subject) => $"{subject.Replace(' ', '.')}.{_person}@hostile.example";

    private async Task<string> AskForAddressAsync(Browser browser, string email)
    {
        var form = new Regex("name=\"formToken\" value=\"([^\"]*)\"").Match((await browser.GetAsync("/dashboard")).Body).Groups[1].Value;
        Assert.Equal("/dashboard?done=address-asked", (await browser.PostAsync("/dashboard/email", ("formToken", form), ("email", email))).Path);
        var mail = await _pulse.Mailbox.NextAsync(email);
        return Link().Match(mail.TextBody!).Value;
    }

    private static async Task<string?> AddressAsync(Browser browser) =>
        JsonDocument.Parse((await browser.GetAsync("/auth/me")).Body).RootElement.GetProperty("email").GetString();

    private Task<Answer> LinkAsync(string proof, string subject) => LinkAsync(_owner, proof, subject);

    private async Task<Answer> LinkAsync(Browser browser, string proof, string subject)
    {
        var begun = await browser.GetAsync(proof);
        return begun.Status == HttpStatusCode.Redirect ? await FinishAsync(browser, (await browser.GetAsync(begun.Location!.AbsoluteUri)).Location!, subject) : begun;
    }

    private static async Task<Uri> BeginAsync(Browser browser, string start, string subject)
    {
        var begun = await SignInFixture.ConsentAsync(browser, await browser.GetAsync(start));
        Assert.True(begun.Status == HttpStatusCode.Redirect, $"The sign-in of {subject} was answered {begun.Status}: {begun.Body}");
        return (await browser.GetAsync(begun.Location!.AbsoluteUri)).Location!;
    }

    private Task<Answer> FinishAsync(Browser browser, Uri callback, string subject)
    {
        _pulse.Hostile.Tamper = token => (token.Claims["sub"], token.Claims["email"]) = ($"{_person}.{subject}", AddressOf(subject));
        return browser.GetAsync(callback.AbsoluteUri);
    }

    private async Task SignInAsync(Browser browser, string subject) =>
        Assert.Equal(HttpStatusCode.SeeOther, (await FinishAsync(browser, await BeginAsync(browser, "/auth/signin/hostile", subject), subject)).Status);

    private async Task SignInByMailAsync(Browser browser, string? email = null)
    {
        await browser.PostAsync("/auth/signin/email", ("email", email ?? Email));
        var page = await browser.GetAsync(Link().Match((await _pulse.Mailbox.NextAsync(email ?? Email)).TextBody!).Value);
        Assert.Equal(HttpStatusCode.SeeOther, (await browser.SubmitAsync(page)).Status);
    }

    private async Task<(string? Id, string Provider, string? Email)[]> ListAsync() =>
    [
        .. JsonDocument.Parse((await _owner.GetAsync("/auth/accounts")).Body).RootElement.EnumerateArray().Select(account => (
            account.GetProperty("id").GetString(), account.GetProperty("provider").GetString()!, account.GetProperty("email").GetString())),
    ];

    private async Task<HttpStatusCode> UnlinkAsync(string account) =>
        (await _owner.SendAsync(new(HttpMethod.Delete, $"/auth/accounts/{account}"))).Status;

    // Reads the link that the dashboard has.
    private async Task<string> LinkAddressAsync() =>
        HttpUtility.HtmlDecode(HostileLink().Match((await _owner.GetAsync("/dashboard")).Body).Groups[1].Value);

    [GeneratedRegex(@"href=""(/auth/signin/hostile\?[^""]*)""")]
    private static partial Regex HostileLink();

    [GeneratedRegex(@"http://\S+")]
    private static partial Regex Link();

    [GeneratedRegex("An account was (un)?linked|A new device signed in|Your e-mail address was changed")]
    private static partial Regex Notice();
}
