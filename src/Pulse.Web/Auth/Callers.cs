using System.Security.Claims;
using Microsoft.Extensions.Options;
using Pulse.Accounts;
using Pulse.Identity;

namespace Pulse.Web.Auth;

/// <summary>Turns an authenticated principal into the caller, and the caller into a user.</summary>
internal sealed class Callers(IOptions<AuthOptions> options, IGrainFactory grains)
{
    /// <summary>Reads who is calling.</summary>
    /// <exception cref="InvalidOperationException">The endpoint let someone in without authentication.</exception>
    public Caller Read(ClaimsPrincipal principal) =>
        Caller.TryRead(principal, options.Value.Issuer, out var caller)
            ? caller
            : throw new InvalidOperationException("The principal is not from one of Pulse's schemes; the endpoint lacks RequireAuthorization.");

    /// <summary>Reads who is calling where that need not be anybody.</summary>
    public Caller? TryRead(ClaimsPrincipal principal) => Caller.TryRead(principal, options.Value.Issuer, out var caller) ? caller : null;

    /// <summary>
    /// The caller's user id: a Pulse token's <c>sub</c> at its word, whether or not there is a row; for a trusted issuer the user that
    /// <c>(iss, sub)</c> is linked to, or <see langword="null"/> when it was never synced.
    /// </summary>
    /// <exception cref="StoreUnavailableException">A trusted issuer's account is not known here and the database is away.</exception>
    public async ValueTask<Guid?> FindUserIdAsync(Caller caller) => caller.OwnUserId ?? await Account(caller).FindUserAsync();

    /// <summary>See <see cref="TrustedIssuerOptions.JoinsByEmail"/>. Pulse's own tokens name their user, and so join none.</summary>
    public bool JoinsByEmail(Caller caller) =>
        caller.OwnUserId is null && options.Value.TrustedIssuers.Any(issuer => issuer.JoinsByEmail && issuer.Issuer == caller.Issuer);

    /// <summary>The grain of a trusted issuer's account.</summary>
    public IAccountGrain Account(Caller caller) => grains.GetGrain<IAccountGrain>(new AccountKey(caller.Issuer, caller.Subject).ToString());
}
