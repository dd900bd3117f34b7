using Microsoft.Extensions.Options;
using Pulse.Users;

namespace Pulse.Web.Auth;

/// <summary>Decides whether a person without a user gets one; see <see cref="SignUpOptions"/>. People who have a user are never asked about.</summary>
internal sealed class SignUpRule(IOptions<SignUpOptions> options)
{
    private readonly HashSet<string> _domains = [.. options.Value.SignUpDomains.Select(domain => SignUpOptions.TryNormalizeDomain(domain, out var one) ? one : "")];

    /// <summary>The update as it goes to the grains: where the person gets no user, it applies to an existing user alone.</summary>
    /// <param name="update">What the provider or issuer says of the person.</param>
    /// <param name="hostedDomain">The organisation that manages the account at Google, by the <c>hd</c> claim.</param>
    public ProfileUpdate Apply(ProfileUpdate update, string? hostedDomain = null) =>
        Admits(update.EmailVerified ? update.Email : null, hostedDomain) ? update : update with { KnownUserOnly = true };

    /// <summary>Whether a person gets a user.</summary>
    /// <param name="provenEmail">A normalised address that the person has proven, or will have.</param>
    /// <param name="hostedDomain">See <see cref="Apply"/>.</param>
    public bool Admits(string? provenEmail, string? hostedDomain = null)
    {
        if (options.Value.Is(SignUpOptions.Open)) return true;
        if (!options.Value.Is(SignUpOptions.Domains)) return false;
        return (provenEmail is not null && _domains.Contains(provenEmail[(provenEmail.LastIndexOf('@') + 1)..]))
            || (SignUpOptions.TryNormalizeDomain(hostedDomain, out var domain) && _domains.Contains(domain));
    }
}
