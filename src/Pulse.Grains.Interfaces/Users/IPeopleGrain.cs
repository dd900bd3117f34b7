namespace Pulse.Users;

/// <summary>Who there is, for lists of people. Any key will do: each silo answers by itself.</summary>
[Alias("pulse.IPeopleGrain")]
public interface IPeopleGrain : IGrainWithIntegerKey
{
    /// <summary>The users whose ids are the latest, at most 100, latest first: with UUIDs of version 7, those who came last.</summary>
    /// <returns>Profiles that may be some seconds old.</returns>
    /// <exception cref="StoreUnavailableException">The database is away.</exception>
    [Alias("ListNewestAsync")]
    Task<UserProfile[]> ListNewestAsync();

    /// <summary>The users with ids above this one, at most 100, in order; for operators, so disabled ones are among them.</summary>
    /// <exception cref="StoreUnavailableException">The database is away.</exception>
    [Alias("ListAfterAsync")]
    Task<UserProfile[]> ListAfterAsync(Guid after);

    /// <summary>The users that have this address, at most 100: one who has proven it, and any number who only state it.</summary>
    /// <param name="email">Normalised.</param>
    /// <exception cref="StoreUnavailableException">The database is away.</exception>
    [Alias("FindByEmailAsync")]
    Task<UserProfile[]> FindByEmailAsync(string email);

    /// <summary>The user ids of those of a trusted issuer's subjects that have been synced.</summary>
    /// <param name="issuer">The tokens' <c>iss</c>.</param>
    /// <param name="subjects">At most 200.</param>
    /// <returns>For each subject, in the order given, the user id or <see langword="null"/>.</returns>
    /// <exception cref="StoreUnavailableException">The database is away.</exception>
    [Alias("FindBySubjectAsync")]
    Task<Guid?[]> FindBySubjectAsync(string issuer, string[] subjects);
}
