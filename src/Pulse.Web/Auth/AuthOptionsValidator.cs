using System.Text;
using Microsoft.Extensions.Options;

namespace Pulse.Web.Auth;

/// <summary>Reports all faults of <see cref="AuthOptions"/> at once. Each message names its setting and omits secret values.</summary>
internal sealed class AuthOptionsValidator(IHostEnvironment environment) : IValidateOptions<AuthOptions>
{
    private static readonly TimeSpan s_maxAccessTokenLifetime = TimeSpan.FromDays(1);

    // Maximum time after which a session ends, however much it is used.
    private static readonly TimeSpan s_maxSessionLifetime = TimeSpan.FromDays(30);

    public ValidateOptionsResult Validate(string? name, AuthOptions options)
    {
        var faults = OwnTokenFaults(options)
            .Concat(options.TrustedIssuers.SelectMany((issuer, index) => IssuerFaults($"{AuthOptions.SectionName}:TrustedIssuers:{index}", issuer)))
            .Concat(DuplicateFaults(options))
            .Concat(SharedSecretFaults(options))
            .Concat(SharedKeyFaults(options))
            .ToArray();
        return faults.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private IEnumerable<string> OwnTokenFaults(AuthOptions options)
    {
        const string At = AuthOptions.SectionName;
        if (!IsName(options.Issuer)) yield return $"{At}:Issuer must be a name or URI without control characters.";
        if (!IsName(options.Audience)) yield return $"{At}:Audience must be a name or URI without control characters.";

        if (string.IsNullOrEmpty(options.SigningKey))
            yield return $"{At}:SigningKey is not set. It is generated in Development only. Set it to at least {AuthOptions.MinSigningKeyBytes} bytes, the same on every front end.";
        else if (KeyFault($"{At}:SigningKey", options.SigningKey) is { } fault)
            yield return fault;
        foreach (var (index, previous) in options.PreviousSigningKeys.Index())
        {
            if (KeyFault($"{At}:PreviousSigningKeys:{index}", previous) is { } weak) yield return weak;
        }

        if (options.AccessTokenLifetime <= TimeSpan.Zero || options.AccessTokenLifetime > s_maxAccessTokenLifetime)
            yield return $"{At}:AccessTokenLifetime must be above zero and at most {s_maxAccessTokenLifetime:c}; it is {options.AccessTokenLifetime:c}.";
        if (options.SessionLifetime <= TimeSpan.Zero || options.SessionLifetime > s_maxSessionLifetime)
            yield return $"{At}:SessionLifetime must be above zero and at most {s_maxSessionLifetime:c}; it is {options.SessionLifetime:c}.";
        if (options.DevSignIn && !environment.IsDevelopment())
            yield return $"{At}:DevSignIn signs in as anyone and is for Development only; the environment is {environment.EnvironmentName}. Unset it.";
    }

    private IEnumerable<string> IssuerFaults(string at, TrustedIssuerOptions issuer)
    {
        if (!IsName(issuer.Issuer)) yield return $"{at}:Issuer must be a name or URI without control characters.";
        foreach (var fault in issuer.IsAuthJs ? AuthJsFaults(at, issuer) : JwtFaults(at, issuer)) yield return fault;
    }

    private static IEnumerable<string> AuthJsFaults(string at, TrustedIssuerOptions issuer)
    {
        if (string.IsNullOrEmpty(issuer.SigningKey)) yield return $"{at}:SigningKey is not set; Kind AuthJs needs the application's AUTH_SECRET.";
        else if (KeyFault($"{at}:SigningKey", issuer.SigningKey) is { } fault) yield return fault;

        // A setting without effect would suggest a missing check.
        if (!string.IsNullOrEmpty(issuer.Authority)) yield return $"{at}:Authority does not go with Kind AuthJs, whose tokens are under SigningKey. Unset it.";
        if (!string.IsNullOrEmpty(issuer.Audience)) yield return $"{at}:Audience does not go with Kind AuthJs, whose tokens have none. Unset it.";
        if (!string.IsNullOrEmpty(issuer.CookieName) && !issuer.CookieName.All(IsCookieNameCharacter))
            yield return $"{at}:CookieName must be the name of a cookie; it is '{issuer.CookieName}'.";
    }

    private IEnumerable<string> JwtFaults(string at, TrustedIssuerOptions issuer)
    {
        if (!string.Equals(issuer.Kind, TrustedIssuerOptions.Jwt, StringComparison.OrdinalIgnoreCase))
        {
            yield return $"{at}:Kind must be {TrustedIssuerOptions.Jwt} or {TrustedIssuerOptions.AuthJs}; it is '{issuer.Kind}'.";
            yield break;
        }

        if (!IsName(issuer.Audience)) yield return $"{at}:Audience must be a name or URI without control characters.";
        if (!string.IsNullOrEmpty(issuer.CookieName)) yield return $"{at}:CookieName is for Kind AuthJs. Set Kind, or unset it.";

        var hasKey = !string.IsNullOrEmpty(issuer.SigningKey);
        var hasAuthority = !string.IsNullOrEmpty(issuer.Authority);
        if (hasKey == hasAuthority)
            yield return $"{at} needs exactly one of SigningKey and Authority; it has {(hasKey ? "both" : "neither")}.";
        if (hasKey && KeyFault($"{at}:SigningKey", issuer.SigningKey!) is { } fault) yield return fault;
        if (!hasAuthority) yield break;

        if (!Uri.TryCreate(issuer.Authority, UriKind.Absolute, out var authority) || authority.Scheme is not ("http" or "https"))
            yield return $"{at}:Authority must be an absolute https URL; it is '{issuer.Authority}'.";
        else if (authority.Scheme == "http" && !environment.IsDevelopment())
            // An attacker on the network path can replace keys that are fetched over http.
            yield return $"{at}:Authority must be https outside Development; it is '{issuer.Authority}'.";
    }

    private static IEnumerable<string> DuplicateFaults(AuthOptions options) =>
        options.TrustedIssuers.Select(issuer => issuer.Issuer).Append(options.Issuer)
            .Where(IsName)
            .GroupBy(issuer => issuer, StringComparer.Ordinal)
            .Where(group => group.Count() > 1)
            .Select(group => $"{AuthOptions.SectionName}: the issuer '{group.Key}' is given more than once (TrustedIssuers and Issuer together). List each once.");

    // The holder of a key can make tokens of every issuer that uses it. An application that shared the key of earlier versions holds one of
    // PreviousSigningKeys.
    private static IEnumerable<string> SharedKeyFaults(AuthOptions options)
    {
        var own = options.PreviousSigningKeys.Index()
            .Select(previous => (At: $"{AuthOptions.SectionName}:PreviousSigningKeys:{previous.Index}", Key: (string?)previous.Item, Kind: KeyKind.Own))
            .Prepend((At: $"{AuthOptions.SectionName}:SigningKey", Key: options.SigningKey, Kind: KeyKind.Own));
        var issuers = options.TrustedIssuers.Index().Select(issuer => (
            At: $"{AuthOptions.SectionName}:TrustedIssuers:{issuer.Index}:SigningKey", Key: issuer.Item.SigningKey,
            Kind: issuer.Item.IsAuthJs ? KeyKind.AuthJs : KeyKind.Issuer));
        return own.Concat(issuers)
            .Where(entry => !string.IsNullOrWhiteSpace(entry.Key))
            .GroupBy(entry => entry.Key!.Trim(), StringComparer.Ordinal)
            .Where(group => group.Count() > 1 && !group.All(entry => entry.Kind == KeyKind.AuthJs) && !group.All(entry => entry.Kind == KeyKind.Own))
            .Select(group => $"{string.Join(" and ", group.Select(entry => entry.At))} are the same, so that each could make the tokens of the others. Give each its own.");
    }

    // Only the key distinguishes Auth.js applications.
    private static IEnumerable<string> SharedSecretFaults(AuthOptions options) =>
        options.TrustedIssuers.Where(issuer => issuer.IsAuthJs && !string.IsNullOrEmpty(issuer.SigningKey))
            .SelectMany(issuer => AuthJsKey.CookieNames(issuer).Select(cookie => (issuer.Issuer, issuer.SigningKey, Cookie: cookie)))
            .GroupBy(key => (key.SigningKey, key.Cookie), key => key.Issuer)
            .Where(group => group.Count() > 1)
            .Select(group => $"{AuthOptions.SectionName}: the Auth.js issuers '{string.Join("' and '", group)}' have the same SigningKey for the cookie '{group.Key.Cookie}', so that the issuer of a token would be unknown. Give each its own secret.");

    // RFC 6265 section 4.1.1: a token of RFC 2616.
    private static bool IsCookieNameCharacter(char c) => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal);

    private static string? KeyFault(string setting, string key) =>
        Encoding.UTF8.GetByteCount(key) is var bytes && bytes < AuthOptions.MinSigningKeyBytes
            ? $"{setting} must be at least {AuthOptions.MinSigningKeyBytes} bytes; it has {bytes}."
            : SecretStrength.IsGuessable(key)
                ? $"{setting} is easy to guess, because it repeats itself or has too few different characters. Make one with: openssl rand -base64 48"
                : null;

    private enum KeyKind
    {
        Own,
        Issuer,
        AuthJs,
    }

    private static bool IsName(string? text) => !string.IsNullOrWhiteSpace(text) && !text.Any(char.IsControl);
}
