using System.Net;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;
using Pulse.Web.SignIn;

namespace Pulse.Web.Tests.SignIn;

/// <summary>An authority that serves many tenants: each tenant vouches for its own users only.</summary>
[Collection(SharedSignIn.Name)]
public sealed class TenantTests : IDisposable
{
    private const string One = "11111111-1111-4111-8111-111111111111";
    private const string Two = "22222222-2222-4222-8222-222222222222";
    private const string Template = "https://login.example/{tenantid}/v2.0";

    private readonly SignInFixture _pulse;
    private readonly Browser _browser, _other;
    private readonly string _person = $"t{Guid.NewGuid():N}";

    public TenantTests(SignInFixture pulse)
    {
        (_pulse, _browser, _other) = (pulse, pulse.NewBrowser(), pulse.NewBrowser());
        pulse.Hostile.Reset();
    }

    public void Dispose()
    {
        _pulse.Hostile.Reset();
        _browser.Dispose();
        _other.Dispose();
    }

    [Fact]
    public async Task OneSubjectInTwoTenants_IsTwoUsers_AndProvesNoAddress()
    {
        Assert.Equal(HttpStatusCode.SeeOther, (await SignInAsync(_browser, One, One)).Status);
        Assert.Equal(HttpStatusCode.SeeOther, (await SignInAsync(_other, Two, Two)).Status);

        var (first, second) = (Assert.NotNull(await _browser.WhoAmIAsync()), Assert.NotNull(await _other.WhoAmIAsync()));
        Assert.NotEqual(first, second);
        Assert.Equal($"{One}/{_person}", await _pulse.QueryAsync($"SELECT provider_account_id FROM accounts WHERE user_id = '{first}'"));
        Assert.Equal(2L, await _pulse.QueryAsync($"SELECT count(*) FROM users WHERE unproven_email = '{_person}@corp.example' AND NOT email_verified"));
    }

    [Theory]
    [InlineData(One, Two)]
    [InlineData(One, null)]
    [InlineData("{tenantid}", "{tenantid}")]
    [InlineData("organizations", "organizations")]
    [InlineData("11111111-1111-4111-8111-111111111111/x", One)]
    public async Task IssuerThatIsNotTheTenants_IsRefused(string issuer, string? tenant)
    {
        Assert.Equal(HttpStatusCode.BadRequest, (await SignInAsync(_browser, issuer, tenant)).Status);
        Assert.Null(await _browser.WhoAmIAsync());
    }

    [Theory]
    [InlineData("https://login.example/common/v2.0", Template, true)]
    [InlineData("https://login.example/organizations/v2.0/", Template, true)]
    [InlineData("https://login.example/consumers/v2.0", Template, false)]
    [InlineData("https://login.example/common/v2.0", "https://evil.example/{tenantid}/v2.0", false)]
    [InlineData("https://login.example/common/v2.0", "https://login.example/{tenantid}/{tenantid}/v2.0", false)]
    [InlineData("https://login.example/common/v2.0", "https://login.example/other/v2.0", false)]
    public void Template_MustBeTheAuthoritys(string authority, string issuer, bool isIts) => Assert.Equal(isIts, TenantIssuer.IsTemplateOf(authority, issuer));

    [Theory]
    [InlineData(null, true)]
    [InlineData(Template, true)]
    [InlineData("https://login.example/11111111-1111-4111-8111-111111111111/v2.0", true)]
    [InlineData("https://login.example/22222222-2222-4222-8222-222222222222/v2.0", false)]
    public void KeyOfOneTenant_SignsOnlyForThatTenant(string? issuerOfKey, bool passes)
    {
        var rules = new TokenValidationParameters();
        TenantIssuer.Check(rules);
        var key = new JsonWebKey { Kid = "1", Kty = "RSA" };
        if (issuerOfKey is not null) key.AdditionalData["issuer"] = issuerOfKey;
        var published = new OpenIdConnectConfiguration { Issuer = Template, JsonWebKeySet = new() };
        published.JsonWebKeySet.Keys.Add(key);
        var token = new Microsoft.IdentityModel.JsonWebTokens.JsonWebToken("{\"alg\":\"RS256\"}", $$"""{"iss":"https://login.example/{{One}}/v2.0","tid":"{{One}}"}""");

        Assert.Equal(passes, rules.IssuerSigningKeyValidatorUsingConfiguration(key, token, rules, published));
    }

    private async Task<Answer> SignInAsync(Browser browser, string issuer, string? tenant)
    {
        _pulse.Hostile.Tamper = token =>
        {
            token.Issuer = $"{_pulse.Hostile.Url}/{issuer}/v2.0";
            (token.Claims["sub"], token.Claims["email"], token.Claims["email_verified"]) = (_person, $"{_person}@corp.example", true);
            if (tenant is not null) token.Claims["tid"] = tenant;
        };
        return await browser.GetAsync((await SignInFixture.ToHostileCallbackAsync(browser, "tenants")).AbsoluteUri);
    }
}
