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
}
