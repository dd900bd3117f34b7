using System.Net;
using System.Security.Claims;
using System.Text.Json;
using System.Text.RegularExpressions;
using Pulse.Web.SignIn;

namespace Pulse.Web.Tests.SignIn;

/// <summary>Which user an account belongs to, with a provider that sends any claims.</summary>
[Collection(SharedSignIn.Name)]
public sealed partial class WhoIsWhoTests : IDisposable
{
    private readonly SignInFixture _pulse;
    private readonly Browser _browser, _other;
    private readonly string _person = $"w{Guid.NewGuid():N}";

    public WhoIsWhoTests(SignInFixture pulse)
    {
        (_pulse, _browser, _other) = (pulse, pulse.NewBrowser(), pulse.NewBrowser());
        pulse.Hostile.Reset();
    }

    private string Email => $"{_person}@corp.example";

    public void Dispose()
    {
        _pulse.Hostile.Reset();
        _browser.Dispose();
        _other.Dispose();
    }

    [Theory]
    [InlineData("joining")]
    [InlineData("hostile")]
    public async Task AddressReissuedAtOneProvider_IsRefused(string provider)
    {
        await SignInAsync(_browser, provider, "emp-1");

        var refused = await SignInAsync(_other, provider, "emp-2");

        Assert.Equal(HttpStatusCode.Conflict, refused.Status);
        Assert.Contains("Sign in the way you did before", refused.Body, StringComparison.Ordinal);
        Assert.Null(await _other.WhoAmIAsync());
        Assert.Equal(1L, await _pulse.QueryAsync($"SELECT count(*) FROM accounts WHERE user_id = '{await _browser.WhoAmIAsync()}'"));
    }

    [Fact]
    public async Task AddressGivenUpAtTheProvider_IsFollowed_AndBecomesFree()
    {
        await SignInAsync(_browser, "joining", "emp-1");
        var first = Assert.NotNull(await _browser.WhoAmIAsync());
        await SignInAsync(_browser, "joining", "emp-1", email: $"new.{Email}", name: "New Name");
        Assert.Equal(first, await _browser.WhoAmIAsync());
        Assert.Equal(($"new.{Email}", true, "New Name"), await MeAsync(_browser));

        await SignInAsync(_other, "joining", "emp-2");

        Assert.NotEqual(first, Assert.NotNull(await _other.WhoAmIAsync()));
        Assert.Equal((Email, true, "Old Name"), await MeAsync(_other));
    }

    [Theory]
    [InlineData("joining", true)]
    [InlineData("hostile", false)]
    public async Task ProvenAddressOfAnotherUser_JoinsByTheProvidersSetting(string provider, bool joins)
    {
        await SignInByMailAsync(_browser);

        var answer = await SignInAsync(_other, provider, "emp-1");

        if (joins) Assert.Equal(await _browser.WhoAmIAsync(), Assert.NotNull(await _other.WhoAmIAsync()));
        else Assert.Equal((HttpStatusCode.Conflict, null), (answer.Status, await _other.WhoAmIAsync()));
    }

    [Fact]
    public async Task SquattedAddress_StaysUsableByItsOwner()
    {
        await SignInAsync(_other, "hostile", "squatter", verified: false);
        var squatter = Assert.NotNull(await _other.WhoAmIAsync());
        Assert.Equal(1L, await _pulse.QueryAsync($"SELECT email IS NULL AND unproven_email = '{Email}' FROM users WHERE id = '{squatter}'"));

        Assert.Equal(HttpStatusCode.SeeOther, (await SignInByMailAsync(_browser)).Status);

        Assert.NotEqual(squatter, Assert.NotNull(await _browser.WhoAmIAsync()));
        Assert.Equal((Email, true), await MeAsync(_browser) is var owner ? (owner.Email, owner.IsVerified) : default);
        Assert.Equal((Email, false), await MeAsync(_other) is var stated ? (stated.Email, stated.IsVerified) : default);
        var seen = JsonDocument.Parse((await _browser.GetAsync($"/users/{squatter}")).Body).RootElement;
        Assert.Equal(["id", "name", "avatar"], seen.EnumerateObject().Select(member => member.Name));
    }

    [Theory]
    [InlineData("google", null, "a@gmail.com", null, true)]
    [InlineData("google", null, "A@GMAIL.COM", null, true)]
    [InlineData("google", null, "a@corp.example", "corp.example", true)]
    [InlineData("google", null, "a@corp.example", null, false)]
    [InlineData("google", null, "a@gmail.com.evil.example", null, false)]
    [InlineData("google", null, "ﬁona@gmail.com", null, false)]
    [InlineData("google", false, "a@gmail.com", null, false)]
    [InlineData("google", true, "a@corp.example", null, true)]
    [InlineData("other", null, "a@gmail.com", "corp.example", false)]
    [InlineData("other", true, "a@corp.example", null, true)]
    public void JoinsByEmail_IsForProvidersThatAreAuthoritative(string provider, bool? setting, string email, string? domain, bool joins)
    {
        List<Claim> claims = [new("sub", "1"), new("email", email), new("email_verified", "true")];
        if (domain is not null) claims.Add(new("hd", domain));

        Assert.Equal(joins, ExternalIdentity.FromClaims(provider, setting, new(new ClaimsIdentity(claims)))!.Profile.JoinsByEmail);
        claims.RemoveAll(claim => claim.Type == "email_verified");
        Assert.False(ExternalIdentity.FromClaims(provider, setting, new(new ClaimsIdentity(claims)))!.Profile.JoinsByEmail);
        claims.AddRange([new("email_verified", "true"), new("email_verified", "false")]);
        Assert.False(ExternalIdentity.FromClaims(provider, setting, new(new ClaimsIdentity(claims)))!.Profile.EmailVerified);
    }

    [Theory]
    [InlineData("Ada@Corp.Example", true)]
    [InlineData("ada@xn--bcher-kva.example", true)]
    [InlineData("ﬁona@corp.example", false)]
    public void EmailVerified_InAnotherSpelling_ProvesTheSameMailboxOnly(string email, bool verified)
    {
        Claim[] claims = [new("sub", "1"), new("email", email), new("email_verified", "true")];

        Assert.Equal(verified, ExternalIdentity.FromClaims("other", joinsByEmail: true, new(new ClaimsIdentity(claims)))!.Profile.EmailVerified);
    }

    [Theory]
    [InlineData("a\0b")]
    [InlineData("a\nb")]
    public void Subject_WithControlCharacters_IsNoIdentity(string subject) =>
        Assert.Null(ExternalIdentity.FromClaims("other", joinsByEmail: null, new(new ClaimsIdentity([new Claim("sub", subject)]))));

    private async Task<Answer> SignInAsync(
        Browser browser, string provider, string subject, bool verified = true, string? email = null, string name = "Old Name")
    {
        _pulse.Hostile.Tamper = token =>
        {
            (token.Claims["sub"], token.Claims["email"]) = ($"{_person}.{subject}", email ?? Email);
            (token.Claims["email_verified"], token.Claims["name"]) = (verified, name);
        };
        return await browser.GetAsync((await SignInFixture.ToHostileCallbackAsync(browser, provider)).AbsoluteUri);
    }

    private async Task<Answer> SignInByMailAsync(Browser browser)
    {
        await browser.PostAsync("/auth/signin/email", ("email", Email));
        return await browser.SubmitAsync(await browser.GetAsync(Link().Match((await _pulse.Mailbox.NextAsync(Email)).TextBody!).Value));
    }

    private static async Task<(string? Email, bool IsVerified, string? Name)> MeAsync(Browser browser)
    {
        var me = JsonDocument.Parse((await browser.GetAsync("/auth/me")).Body).RootElement;
        return (me.GetProperty("email").GetString(), me.GetProperty("emailVerified").GetBoolean(), me.GetProperty("name").GetString());
    }

    [GeneratedRegex(@"http://\S+")]
    private static partial Regex Link();
}
