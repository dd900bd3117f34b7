using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;
using Pulse.Identity;

namespace Pulse.Web.Auth;

/// <summary>Rule for new users. Settings <c>Pulse:Auth:SignUp</c> and <c>Pulse:Auth:SignUpDomains</c>.</summary>
internal sealed class SignUpOptions
{
    /// <summary>The configuration section of these settings.</summary>
    public const string SectionName = "Pulse:Auth";

    /// <summary>Value of <see cref="SignUp"/>: every person gets a user.</summary>
    public const string Open = "Open";

    /// <summary>Value of <see cref="SignUp"/>: people with a proven address at one of <see cref="SignUpDomains"/> get a user.</summary>
    public const string Domains = "Domains";

    /// <summary>Value of <see cref="SignUp"/>: new users are refused.</summary>
    public const string Closed = "Closed";

    /// <summary><see cref="Open"/> (default), <see cref="Domains"/> or <see cref="Closed"/>, in any case.</summary>
    // A string, so that the validator reports an unknown value together with all other faults.
    public string SignUp { get; set; } = Open;

    /// <summary>Domains of addresses, such as <c>example.com</c>. Subdomains are excluded. Default none.</summary>
    public IList<string> SignUpDomains { get; } = [];

    /// <summary>Whether <see cref="SignUp"/> has that value.</summary>
    public bool Is(string value) => string.Equals(SignUp, value, StringComparison.OrdinalIgnoreCase);

    /// <summary>Normalizes a domain to its spelling in addresses. <see langword="false"/> if the text is malformed.</summary>
    public static bool TryNormalizeDomain(string? text, [NotNullWhen(true)] out string? domain)
    {
        domain = null;
        if (text is null || text.Contains('@', StringComparison.Ordinal) || !EmailAddress.TryNormalize($"x@{text}", out var email)) return false;
        domain = email[2..];
        return true;
    }
}

/// <summary>Reports all faults of <see cref="SignUpOptions"/>.</summary>
internal sealed class SignUpOptionsValidator : IValidateOptions<SignUpOptions>
{
    public ValidateOptionsResult Validate(string? name, SignUpOptions options)
    {
        string[] faults = [.. Faults(options)];
        return faults.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static IEnumerable<string> Faults(SignUpOptions options)
    {
        const string At = SignUpOptions.SectionName;
        var isByDomain = options.Is(SignUpOptions.Domains);
        if (!isByDomain && !options.Is(SignUpOptions.Open) && !options.Is(SignUpOptions.Closed))
            yield return $"{At}:SignUp must be Open, Domains or Closed; it is '{options.SignUp}'.";
        else if (isByDomain && options.SignUpDomains.Count == 0)
            yield return $"{At}:SignUp is Domains, but {At}:SignUpDomains is empty. List the domains, or set SignUp to Open or Closed.";
        else if (!isByDomain && options.SignUpDomains.Count > 0)
            // A list without effect would suggest a missing check.
            yield return $"{At}:SignUpDomains is set, but {At}:SignUp is {options.SignUp}. Set SignUp to Domains, or unset the list.";

        foreach (var (index, domain) in options.SignUpDomains.Index())
        {
            if (!SignUpOptions.TryNormalizeDomain(domain, out _))
                yield return $"{At}:SignUpDomains:{index} must be the domain of an e-mail address, such as example.com, without '@' and '*'; it is '{domain}'.";
        }
    }
}
