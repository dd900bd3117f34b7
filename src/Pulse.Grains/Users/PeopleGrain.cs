using Orleans.Concurrency;
using Pulse.Grains.Accounts;
using Pulse.Users;

namespace Pulse.Grains.Users;

/// <summary>Lists people for the front ends, and reads the database once for all calls to this silo within some seconds.</summary>
/// <remarks>Each silo has one activation. Its turns prevent a burst of calls from reading more than once.</remarks>
[GrainType("people")]
[StatelessWorker(maxLocalWorkers: 1)]
internal sealed class PeopleGrain(IUserStore store, IAccountStore accounts, TimeProvider time) : Grain, IPeopleGrain
{
    private const int MaxResults = 100;
    private static readonly TimeSpan s_freshness = TimeSpan.FromSeconds(3);

    private UserProfile[] _newest = [];
    private DateTimeOffset _freshUntil;

    public async Task<UserProfile[]> ListNewestAsync()
    {
        if (time.GetUtcNow() < _freshUntil) return _newest;

        var rows = await store.ListNewestAsync(MaxResults);
        _newest = [.. rows.Where(row => row.DisabledAt is null).Select(row => row.ToProfile(row.LastSeenAt))];
        _freshUntil = time.GetUtcNow() + s_freshness;
        return _newest;
    }

    public async Task<UserProfile[]> ListAfterAsync(Guid after) => ToProfiles(await store.ListAfterAsync(after, MaxResults));

    public async Task<UserProfile[]> FindByEmailAsync(string email) => ToProfiles(await store.FindByEmailAsync(email, MaxResults));

    private static UserProfile[] ToProfiles(IReadOnlyList<UserRow> rows) => [.. rows.Select(row => row.ToProfile(row.LastSeenAt))];

    public async Task<Guid?[]> FindBySubjectAsync(string issuer, string[] subjects)
    {
        var found = await accounts.FindManyAsync(issuer, subjects);
        return Array.ConvertAll(subjects, subject => found.TryGetValue(subject, out var userId) ? userId : (Guid?)null);
    }
}
