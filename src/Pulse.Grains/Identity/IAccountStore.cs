using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary>The <c>accounts</c> table: which external account is which user.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> when the database does not answer in time.</remarks>
internal interface IAccountStore
{
    /// <summary>The user that an external account is linked to, or <see langword="null"/>.</summary>
    Task<Guid?> FindUserAsync(string provider, string providerAccountId, CancellationToken cancellationToken = default);
}
