using Microsoft.Extensions.Options;
using Pulse.Users;

namespace Pulse.Web.Auth;

/// <summary>Decides whether a person without a user gets one. See <see cref="SignUpOptions"/>. Existing users are unaffected.</summary>
internal sealed class SignUpRule(IOptions<SignUpOptions> options)
{
    private readonly HashSet<string> _domains = [.. options.Value.SignUpDomains.Select(domain => SignUpOptions.TryNormalizeDomain(domain, out var one) ? one : "")];

    /// <summary>The update for the grains. If the person must not get a user, it applies only to an existing one.</summary>
    /// <param name="update">The person's profile from the provider or issuer.</param>
    /// <param name="hostedDomain">The organisation that manages the account at Google, from the <c>hd</c> claim.</param>
    public ProfileUpdate Apply(ProfileUpdate update, string? hostedDomain = null) =>
        Admits(update.EmailVerified ? update.Email : null, hostedDomain) ? update : update with { KnownUserOnly = true };

    /// <summary>Whether a person gets a user.</summary>
    /// <param name="provenEmail">A normalized address that the person has proven, or is about to prove.</param>
    /// <param name="hostedDomain">See <see cref="Apply"/>.</param>
    public bool Admits(string? provenEmail, string? hostedDomain = null)
    {
        if (options.Value.Is(SignUpOptions.Open)) return true;
        if (!options.Value.Is(SignUpOptions.Domains)) return false;
        return (provenEmail is not null && _domains.Contains(provenEmail[(provenEmail.LastIndexOf('@') + 1)..]))
            || (SignUpOptions.TryNormalizeDomain(hostedDomain, out var domain) && _domains.Contains(domain));
    }
}
