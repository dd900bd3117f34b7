using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Users;

/// <summary>Two silos, each with an activation of its own and a real PostgreSQL.</summary>
public sealed class PeopleGrainTests(PulseCluster cluster) : IClassFixture<PulseCluster>
{
    [Fact]
    public async Task ListNewest_IncludesNewUsers_LatestFirst_AndAtMostAHundred()
    {
        var people = cluster.Client.GetGrain<IPeopleGrain>(0);
        var ids = new List<Guid>();
        for (var i = 0; i < 101; i++)
        {
            ids.Add(Guid.CreateVersion7(DateTimeOffset.UnixEpoch.AddYears(60).AddSeconds(i)));
            await cluster.Client.GetGrain<IUserGrain>(ids[i]).SyncProfileAsync(new() { Email = $"{ids[i]:N}@example.com", Name = $"Person {i}" });
        }

        UserProfile[] listed = [];
        await Eventually.AsyncEqual<Guid?>(ids[^1], async () => (listed = await people.ListNewestAsync()).FirstOrDefault()?.Id);

        Assert.Equal(ids.AsEnumerable().Reverse().Take(100), listed.Select(user => user.Id));
        Assert.Equal("Person 100", listed[0].Name);
    }
}
