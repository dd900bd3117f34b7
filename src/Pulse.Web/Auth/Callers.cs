using System.Security.Claims;
using Microsoft.Extensions.Options;
using Pulse.Accounts;
using Pulse.Identity;

namespace Pulse.Web.Auth;

/// <summary>Turns an authenticated principal into the caller, and the caller into a user.</summary>
internal sealed class Callers(IOptions<AuthOptions> options, IGrainFactory grains)
{
    /// <summary>Reads the caller.</summary>
    /// <exception cref="InvalidOperationException">The endpoint admitted a request without authentication.</exception>
    public Caller Read(ClaimsPrincipal principal) =>
        Caller.TryRead(principal, options.Value.Issuer, out var caller)
            ? caller
            : throw new InvalidOperationException("The principal is not from one of Pulse's schemes; the endpoint lacks RequireAuthorization.");

    /// <summary>Reads the caller of a request that may be anonymous.</summary>
    public Caller? TryRead(ClaimsPrincipal principal) => Caller.TryRead(principal, options.Value.Issuer, out var caller) ? caller : null;

    /// <summary>
    /// The caller's user id. For a Pulse token it is the <c>sub</c>, with or without a row. For a trusted issuer it is the user linked to
    /// <c>(iss, sub)</c>, or <see langword="null"/> if the account is new.
    /// </summary>
    /// <exception cref="StoreUnavailableException">A trusted issuer's account is not cached and the database is unavailable.</exception>
    public async ValueTask<Guid?> FindUserIdAsync(Caller caller) => caller.OwnUserId ?? await Account(caller).FindUserAsync();

    /// <summary>
    /// See <see cref="TrustedIssuerOptions.JoinsByEmail"/>. Pulse's own tokens name their user, so joining does not apply.
    /// </summary>
    public bool JoinsByEmail(Caller caller) =>
        caller.OwnUserId is null && options.Value.TrustedIssuers.Any(issuer => issuer.JoinsByEmail && issuer.Issuer == caller.Issuer);

    /// <summary>The grain of a trusted issuer's account.</summary>
    public IAccountGrain Account(Caller caller) => grains.GetGrain<IAccountGrain>(new AccountKey(caller.Issuer, caller.Subject).ToString());
}
