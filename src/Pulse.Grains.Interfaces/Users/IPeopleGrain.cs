namespace Pulse.Users;

/// <summary>Lists people. Any key is valid, because each silo answers on its own.</summary>
[Alias("pulse.IPeopleGrain")]
public interface IPeopleGrain : IGrainWithIntegerKey
{
    /// <summary>The users with the latest ids, at most 100, latest first. With UUIDs of version 7 these are the newest users.</summary>
    /// <returns>Profiles that may be some seconds old.</returns>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    [Alias("ListNewestAsync")]
    Task<UserProfile[]> ListNewestAsync();

    /// <summary>The users with ids above this one, at most 100, in order. For operators, so disabled users are included.</summary>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    [Alias("ListAfterAsync")]
    Task<UserProfile[]> ListAfterAsync(Guid after);

    /// <summary>The users with this address, at most 100. The user with the proven address comes before those with the same unproven one.</summary>
    /// <param name="email">Normalized.</param>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    [Alias("FindByEmailAsync")]
    Task<UserProfile[]> FindByEmailAsync(string email);

    /// <summary>The user ids of a trusted issuer's subjects, as far as they have been synced.</summary>
    /// <param name="issuer">The tokens' <c>iss</c>.</param>
    /// <param name="subjects">At most 200.</param>
    /// <returns>For each subject, in the order of the call, the user id or <see langword="null"/>.</returns>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    [Alias("FindBySubjectAsync")]
    Task<Guid?[]> FindBySubjectAsync(string issuer, string[] subjects);
}
