using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Pulse.Web.Tests.Auth;

public sealed class AuthOptionsTests
{
    private static readonly (string, string?)[] s_good = [("SigningKey", TestTokens.Key)];

    [Fact]
    public void Validate_KeyAlone_Passes() => Assert.Empty(Faults("Production", s_good));

    [Theory]
    [InlineData("SigningKey", null, "SigningKey is not set")]
    [InlineData("SigningKey", "too short", "SigningKey must be at least 32 bytes; it has 9")]
    [InlineData("SigningKey", "changemechangemechangemechangeme", "SigningKey is easy to guess")]
    [InlineData("PreviousSigningKeys:0", "too short", "PreviousSigningKeys:0 must be at least 32 bytes; it has 9")]
    [InlineData("PreviousSigningKeys:0", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "PreviousSigningKeys:0 is easy to guess")]
    [InlineData("Issuer", " ", "Pulse:Auth:Issuer must be")]
    [InlineData("Audience", "", "Pulse:Auth:Audience must be")]
    [InlineData("AccessTokenLifetime", "00:00:00", "AccessTokenLifetime must be above zero")]
    [InlineData("AccessTokenLifetime", "2.00:00:00", "AccessTokenLifetime must be above zero and at most")]
    [InlineData("SessionLifetime", "-00:00:01", "SessionLifetime must be above zero")]
    [InlineData("SignUp", "Invite", "Pulse:Auth:SignUp must be Open, Domains or Closed; it is 'Invite'")]
    [InlineData("SignUp", "Domains", "Pulse:Auth:SignUpDomains is empty")]
    [InlineData("SignUpDomains:0", "corp.example", "Pulse:Auth:SignUpDomains is set, but Pulse:Auth:SignUp is Open")]
    [InlineData("DevSignIn", "true", "DevSignIn signs in as anyone and is for Development only; the environment is Production")]
    public void Validate_OwnSettingAtFault_NamesIt(string key, string? value, string message) =>
        Assert.Contains(message, Assert.Single(Faults("Production", [.. s_good.Where(s => s.Item1 != key), (key, value)])), StringComparison.Ordinal);

    [Theory]
    [InlineData("@corp.example")]
    [InlineData("*.corp.example")]
    [InlineData("ada@corp.example")]
    [InlineData("corp")]
    [InlineData("")]
    public void Validate_SignUpDomainAtFault_NamesIt(string domain) => Assert.Contains(
        $"SignUpDomains:1 must be the domain of an e-mail address, such as example.com, without '@' and '*'; it is '{domain}'",
        Assert.Single(Faults("Production", [.. s_good, ("SignUp", "Domains"), ("SignUpDomains:0", "bücher.example"), ("SignUpDomains:1", domain)])),
        StringComparison.Ordinal);

    [Theory]
    [InlineData("", "pulse", TestTokens.OtherKey, null, "TrustedIssuers:0:Issuer")]
    [InlineData("them\n", "pulse", TestTokens.OtherKey, null, "TrustedIssuers:0:Issuer")]
    [InlineData("them", "", TestTokens.OtherKey, null, "TrustedIssuers:0:Audience")]
    [InlineData("them", "pulse", null, null, "TrustedIssuers:0 needs exactly one of SigningKey and Authority; it has neither")]
    [InlineData("them", "pulse", TestTokens.OtherKey, "https://them.example", "it has both")]
    [InlineData("them", "pulse", "short", null, "TrustedIssuers:0:SigningKey must be at least 32 bytes")]
    [InlineData("them", "pulse", "12345678901234567890123456789012", null, "TrustedIssuers:0:SigningKey is easy to guess")]
    [InlineData("them", "pulse", null, "http://them.example", "Authority must be https outside Development; it is 'http://them.example'")]
    [InlineData("them", "pulse", null, "them.example", "Authority must be an absolute https URL")]
    [InlineData("pulse", "pulse", TestTokens.OtherKey, null, "'pulse' is given more than once")]
    public void Validate_TrustedIssuerAtFault_NamesIt(string issuer, string audience, string? key, string? authority, string message) =>
        Assert.Contains(message, Assert.Single(Faults("Production", [.. s_good, .. Issuer(0, issuer, audience, key, authority)])), StringComparison.Ordinal);

    [Theory]
    [InlineData("email")]
    [InlineData("google")]
    [InlineData("dev")]
    [InlineData("Email")]
    [InlineData("git-lab")]
    public void Validate_TrustedIssuerWithAReservedName_NamesIt(string issuer)
    {
        // A provider with faulty settings is named all the same.
        (string, string?)[] settings = [.. s_good, ("Providers:GIT-LAB:ClientId", "pulse")];

        var jwt = Faults("Production", [.. settings, .. Issuer(0, "them", "pulse", $"{TestTokens.OtherKey}2", null), .. Issuer(1, issuer, "pulse", TestTokens.OtherKey, null)]);
        Assert.Contains($"Pulse:Auth:TrustedIssuers:1:Issuer is '{issuer}', which is a way to sign in here", Assert.Single(jwt), StringComparison.Ordinal);
        Assert.Contains($"Pulse:Auth:TrustedIssuers:0:Issuer is '{issuer}'", Assert.Single(Faults("Production", [.. settings, .. AuthJs(0, issuer)])), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AuthJs")]
    [InlineData("authjs")]
    public void Validate_AuthJsIssuer_NeedsOnlyItsSecret(string kind) => Assert.Empty(Faults("Production", [.. s_good, .. AuthJs(0, "next", kind: kind)]));

    [Theory]
    [InlineData("Kind", "OAuth", "TrustedIssuers:0:Kind must be Jwt or AuthJs; it is 'OAuth'")]
    [InlineData("Kind", "", "TrustedIssuers:0:Kind must be Jwt or AuthJs; it is ''")]
    [InlineData("Issuer", "", "TrustedIssuers:0:Issuer must be")]
    [InlineData("SigningKey", null, "TrustedIssuers:0:SigningKey is not set; Kind AuthJs needs the application's AUTH_SECRET")]
    [InlineData("SigningKey", "short", "TrustedIssuers:0:SigningKey must be at least 32 bytes; it has 5")]
    [InlineData("SigningKey", "abcdefghijklmnopqrstuvwxyz0123456789", "TrustedIssuers:0:SigningKey is easy to guess")]
    [InlineData("Authority", "https://next.example", "TrustedIssuers:0:Authority does not go with Kind AuthJs")]
    [InlineData("Audience", "pulse", "TrustedIssuers:0:Audience does not go with Kind AuthJs")]
    [InlineData("CookieName", "my cookie", "TrustedIssuers:0:CookieName must be the name of a cookie; it is 'my cookie'")]
    public void Validate_AuthJsIssuerAtFault_NamesIt(string setting, string? value, string message)
    {
        var key = $"TrustedIssuers:0:{setting}";
        var settings = AuthJs(0, "next").Where(s => s.Item1 != key).Append((key, value));
        Assert.Contains(message, Assert.Single(Faults("Production", [.. s_good, .. settings])), StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_CookieNameOfAnotherKind_NamesIt()
    {
        var fault = Assert.Single(Faults("Production", [.. s_good, .. Issuer(0, "them", "pulse", TestTokens.OtherKey, null), ("TrustedIssuers:0:CookieName", "x")]));
        Assert.Contains("TrustedIssuers:0:CookieName is for Kind AuthJs", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_AuthJsIssuersWithOneSecret_MustDifferInTheirCookies()
    {
        (string, string?)[] narrowed = [.. AuthJs(0, "one"), ("TrustedIssuers:0:CookieName", "one"), .. AuthJs(1, "two"), ("TrustedIssuers:1:CookieName", "two")];
        var faults = Faults("Production", [.. s_good, .. AuthJs(0, "one"), .. AuthJs(1, "two")]);

        Assert.Empty(Faults("Production", [.. s_good, .. narrowed]));
        Assert.Equal(2, faults.Length);
        Assert.All(faults, fault => Assert.Contains("'one' and 'two' have the same SigningKey for the cookie", fault, StringComparison.Ordinal));
        Assert.DoesNotContain(faults, fault => fault.Contains(AuthJsTokens.Secret, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    public void Validate_EarlierKeyThatIsATrustedIssuers_NamesBoth(string end)
    {
        var fault = Assert.Single(Faults(
            "Production", [.. s_good, ("PreviousSigningKeys:0", TestTokens.OtherKey), .. Issuer(0, "one", "pulse", TestTokens.OtherKey + end, null)]));
        Assert.Contains("Pulse:Auth:PreviousSigningKeys:0 and Pulse:Auth:TrustedIssuers:0:SigningKey are the same", fault, StringComparison.Ordinal);
        Assert.Empty(Faults("Production", [.. s_good, ("PreviousSigningKeys:0", TestTokens.Key)]));
    }

    [Theory]
    [InlineData(TestTokens.Key, TestTokens.OtherKey, "Pulse:Auth:SigningKey and Pulse:Auth:TrustedIssuers:0:SigningKey are the same")]
    [InlineData(TestTokens.OtherKey, TestTokens.OtherKey, "Pulse:Auth:TrustedIssuers:0:SigningKey and Pulse:Auth:TrustedIssuers:1:SigningKey are the same")]
    [InlineData(AuthJsTokens.Secret, TestTokens.OtherKey, "Pulse:Auth:TrustedIssuers:0:SigningKey and Pulse:Auth:TrustedIssuers:2:SigningKey are the same")]
    public void Validate_OneKeyForTwoIssuers_NamesBoth(string first, string second, string message)
    {
        var fault = Assert.Single(Faults(
            "Production", [.. s_good, .. Issuer(0, "one", "pulse", first, null), .. Issuer(1, "two", "pulse", second, null), .. AuthJs(2, "next")]));
        Assert.Contains(message, fault, StringComparison.Ordinal);
        Assert.DoesNotContain(first, fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Validate_HttpAuthorityInDevelopment_Passes() =>
        Assert.Empty(Faults("Development", [.. s_good, .. Issuer(0, "them", "pulse", null, "http://localhost:5005")]));

    [Fact]
    public void Validate_ManyFaults_ReportsAllAtOnceAndNoSecret()
    {
        var faults = Faults("Production",
        [
            ("SigningKey", "hunter2"), ("DevSignIn", "true"), ("AccessTokenLifetime", "00:00:00"),
            .. Issuer(0, "them", "pulse", null, null), .. Issuer(1, "them", "pulse", "hunter3", null),
        ]);

        Assert.Equal(6, faults.Length);
        Assert.DoesNotContain(faults, fault => fault.Contains("hunter", StringComparison.Ordinal));
    }

    private static (string, string?)[] Issuer(int index, string issuer, string audience, string? key, string? authority) =>
    [
        ($"TrustedIssuers:{index}:Issuer", issuer), ($"TrustedIssuers:{index}:Audience", audience),
        ($"TrustedIssuers:{index}:SigningKey", key), ($"TrustedIssuers:{index}:Authority", authority),
    ];

    private static (string, string?)[] AuthJs(int index, string issuer, string kind = "AuthJs") =>
    [
        ($"TrustedIssuers:{index}:Kind", kind), ($"TrustedIssuers:{index}:Issuer", issuer), ($"TrustedIssuers:{index}:SigningKey", AuthJsTokens.Secret),
    ];

    private static string[] Faults(string environment, (string, string?)[] settings)
    {
        using var services = AuthHost.Create(environment, settings);
        try
        {
            services.GetRequiredService<IStartupValidator>().Validate();
            return [];
        }
        catch (OptionsValidationException exception)
        {
            return [.. exception.Failures];
        }
    }
}
