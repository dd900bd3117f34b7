using Pulse.Grains.Presence;
using Pulse.Presence;
using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Presence.Watching;

/// <summary>Two silos, real PostgreSQL, real Redis.</summary>
public sealed class PresenceReaderTests(PulseCluster cluster) : IClassFixture<PulseCluster>
{
    private IPresenceReaderGrain Reader => cluster.Client.GetGrain<IPresenceReaderGrain>(0);

    [Fact]
    public async Task Read_OfAbsentUsers_AnswersLastSeenInOrder_AndLeavesNoActivation()
    {
        var seen = Guid.CreateVersion7();
        await cluster.Client.GetGrain<IUserGrain>(seen).SyncProfileAsync(new() { Email = $"{seen:N}@example.com" });
        await cluster.Client.GetGrain<IUserGrain>(seen).ConnectAsync(Lease(seen), cluster.FrontEnd);
        await cluster.Client.GetGrain<IUserGrain>(seen).DisconnectAsync(Lease(seen), ConnectionEnd.Closed);
        await cluster.Cluster.DeactivateAsync(cluster.Client.GetGrain<IUserGrain>(seen));
        Guid[] users = [Guid.NewGuid(), seen, Guid.NewGuid(), .. Enumerable.Range(0, 300).Select(_ => Guid.NewGuid())];

        // Until the index has proved complete, the reader asks grains, which are deactivated after their answer.
        await Eventually.AsyncEqual(true, async () =>
        {
            var answers = await Reader.ReadAsync(users, []);
            Assert.Equal(users, answers.Select(answer => answer.UserId));
            Assert.All(answers, answer => Assert.Equal((PresenceStatus.Offline, PresenceStatus.Offline, null), (answer.Status, answer.OwnStatus, answer.Message)));
            // Grains that are slow for a moment give provisional answers.
            if (answers.Any(answer => answer.IsProvisional)) return false;
            // A database that is slow for a moment gives no lastSeen.
            if (answers[1].LastSeenAt is not { } lastSeenAt) return false;
            Assert.Equal(await cluster.StoredLastSeenAsync(seen), lastSeenAt);
            return await CountActiveAsync(users) == 0;
        });
    }

    [Fact]
    public async Task Read_WhenRedisHasLostItsKeys_StillFindsOnlineUsers()
    {
        var here = Guid.CreateVersion7();
        using var beating = cluster.KeepRenewing(here, Lease(here));
        await Eventually.AsyncEqual(PresenceStatus.Online, async () => (await Reader.ReadAsync([here], []))[0].Status);
        await Eventually.AsyncEqual(0, async () =>
        {
            Guid[] absent = [Guid.NewGuid(), Guid.NewGuid()];
            await Reader.ReadAsync(absent, []);
            return await CountActiveAsync(absent);
        });

        // Has the effect of a flush on this test's own keys.
        await cluster.Redis.KeyDeleteAsync([PulseCluster.Key(here), RedisKeys.Marker]);

        for (var i = 0; i < 20; i++) Assert.Equal(PresenceStatus.Online, (await Reader.ReadAsync([here], []))[0].Status);
    }

    [Fact]
    public async Task Read_DoesNotTellInvisibleUsersFromAbsentOnes()
    {
        var invisible = Guid.CreateVersion7();
        var user = cluster.Client.GetGrain<IUserGrain>(invisible);
        using var beating = cluster.KeepRenewing(invisible, Lease(invisible) with { Status = PresenceStatus.Invisible });
        await Eventually.AsyncEqual(PresenceStatus.Invisible, async () => (await user.GetPresenceAsync()).OwnStatus);

        for (var i = 0; i < 50; i++)
        {
            var answers = await Reader.ReadAsync([Guid.NewGuid(), invisible, Guid.NewGuid()], []);
            Assert.Single(answers.Select(answer => (answer.Status, answer.Message, answer.LastSeenAt, answer.VersionForOthers)).Distinct());
        }
    }

    [Fact]
    public async Task Read_TakesLastSeenOfAnInvisibleUserFromTheStore_AsThatOfAbsentOnes()
    {
        var invisible = Guid.CreateVersion7();
        var user = cluster.Client.GetGrain<IUserGrain>(invisible);
        await user.SyncProfileAsync(new() { Email = $"{invisible:N}@example.com" });
        using var beating = cluster.KeepRenewing(invisible, Lease(invisible) with { Status = PresenceStatus.Invisible });
        await Eventually.AsyncEqual(PresenceStatus.Invisible, async () => (await user.GetPresenceAsync()).OwnStatus);
        var other = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
        await cluster.WriteLastSeenAsync(invisible, other);

        await Eventually.AsyncEqual(other, async () => (await Reader.ReadAsync([invisible], []))[0].LastSeenAt);
    }

    [Fact]
    public async Task Read_WithAKnownVersion_AnswersWithAHigherOne()
    {
        var absent = Guid.NewGuid();
        var ahead = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds();

        var answer = Assert.Single(await Reader.ReadAsync([absent], [ahead]));

        Assert.Equal((PresenceStatus.Offline, ahead + 1, ahead + 1), (answer.Status, answer.Version, answer.VersionForOthers));
    }

    private static ConnectionLease Lease(Guid userId)
    {
        var now = TimeProvider.System.GetUtcNow();
        return new() { ConnectionId = $"{userId:N}-a", FrontEndId = "front end", SeenAt = now, ConnectedAt = now, ActiveAt = now, StatusSetAt = now };
    }

    private async Task<int> CountActiveAsync(Guid[] users)
    {
        var active = await cluster.Client.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics();
        var ids = active.Select(grain => grain.GrainId).ToHashSet();
        return users.Count(user => ids.Contains(cluster.Client.GetGrain<IUserGrain>(user).GetGrainId()));
    }
}
