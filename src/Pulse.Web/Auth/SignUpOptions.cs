using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;
using Pulse.Identity;

namespace Pulse.Web.Auth;

/// <summary>Which people without a user get one. Settings <c>Pulse:Auth:SignUp</c> and <c>Pulse:Auth:SignUpDomains</c>.</summary>
internal sealed class SignUpOptions
{
    /// <summary>Where these settings are read from.</summary>
    public const string SectionName = "Pulse:Auth";

    /// <summary><see cref="SignUp"/>: each person.</summary>
    public const string Open = "Open";

    /// <summary><see cref="SignUp"/>: people with a proven address at one of <see cref="SignUpDomains"/>.</summary>
    public const string Domains = "Domains";

    /// <summary><see cref="SignUp"/>: none.</summary>
    public const string Closed = "Closed";

    /// <summary><see cref="Open"/> (default), <see cref="Domains"/> or <see cref="Closed"/>, in any case.</summary>
    // Text, so that the validator reports an unknown value together with all other faults.
    public string SignUp { get; set; } = Open;

    /// <summary>Domains of addresses, such as <c>example.com</c>; each stands for itself alone, and for no domain below it. Default none.</summary>
    public IList<string> SignUpDomains { get; } = [];

    /// <summary>Whether <see cref="SignUp"/> is that value.</summary>
    public bool Is(string value) => string.Equals(SignUp, value, StringComparison.OrdinalIgnoreCase);

    /// <summary>Gives a domain the spelling that it has in normalised addresses; <see langword="false"/> for a text that is no domain.</summary>
    public static bool TryNormalizeDomain(string? text, [NotNullWhen(true)] out string? domain)
    {
        domain = null;
        if (text is null || text.Contains('@', StringComparison.Ordinal) || !EmailAddress.TryNormalize($"x@{text}", out var email)) return false;
        domain = email[2..];
        return true;
    }
}

/// <summary>Finds every fault in <see cref="SignUpOptions"/>.</summary>
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
            // A list that looks as if it were checked would be a trap.
            yield return $"{At}:SignUpDomains is set, but {At}:SignUp is {options.SignUp}. Set SignUp to Domains, or unset the list.";

        foreach (var (index, domain) in options.SignUpDomains.Index())
        {
            if (!SignUpOptions.TryNormalizeDomain(domain, out _))
                yield return $"{At}:SignUpDomains:{index} must be the domain of an e-mail address, such as example.com, without '@' and '*'; it is '{domain}'.";
        }
    }
}
