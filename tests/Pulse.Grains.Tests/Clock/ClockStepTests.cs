using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Pulse.Presence;
using Pulse.Silo.Clock;
using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Clock;

/// <summary>
/// Sets the wall clock of all silos while users are connected. Two silos, real PostgreSQL, real Redis, leases of seconds.
/// </summary>
public sealed class ClockStepTests : IAsyncLifetime
{
    private readonly SteppingCluster _cluster = new();

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Theory]
    [InlineData(-10)]
    [InlineData(-90)]
    [InlineData(-3_600)]
    [InlineData(3_600)]
    public async Task ClockIsSet_KeysStay_NewUsersAreServed_SilentUsersGoOffline(int seconds)
    {
        var (live, silent, newcomer) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        using var renewing = _cluster.KeepRenewing(live, Lease(live));
        await Eventually.AsyncEqual(true, () => _cluster.Redis.KeyExistsAsync(PulseCluster.Key(live)));
        await User(silent).ConnectAsync(Lease(silent), _cluster.FrontEnd);

        _cluster.Wall.Step(TimeSpan.FromSeconds(seconds));

        await User(newcomer).SyncProfileAsync(new() { Email = $"{newcomer:N}@users.test", Name = "Ada" });
        await User(newcomer).ConnectAsync(Lease(newcomer), _cluster.FrontEnd);
        var clock = Stopwatch.StartNew();
        TimeSpan? silentFor = null;
        using var renewingToo = _cluster.KeepRenewing(newcomer, Lease(newcomer));
        while (clock.Elapsed < PulseCluster.TimeToLive * 2.5)
        {
            Assert.True(await _cluster.Redis.KeyExistsAsync(PulseCluster.Key(live)), $"The key of a connected user expired {clock.Elapsed} after the step.");
            Assert.NotEqual(PresenceStatus.Offline, (await User(live).GetPresenceAsync()).Status);
            if (silentFor is null && (await User(silent).GetPresenceAsync()).Status == PresenceStatus.Offline) silentFor = clock.Elapsed;
            await Task.Delay(50);
        }

        Assert.True(silentFor is not null, "A user whose front end is silent is still online.");
        Assert.Equal(PresenceStatus.Online, (await User(live).GetPresenceAsync()).Status);
        Assert.Equal(PresenceStatus.Online, (await User(newcomer).GetPresenceAsync()).Status);
    }

    private IUserGrain User(Guid id) => _cluster.Client.GetGrain<IUserGrain>(id);

    private static ConnectionLease Lease(Guid id) =>
        new() { ConnectionId = $"{id:N}-a", FrontEndId = "front-end", SeenAt = TimeProvider.System.GetUtcNow(), ActiveAt = TimeProvider.System.GetUtcNow() };

    private sealed class SteppingCluster : PulseCluster
    {
        public SettableClock Wall { get; } = new();

        private protected override void Adjust(IHostApplicationBuilder host) => host.Services.AddSingleton<TimeProvider>(new SteadyClock(Wall));
    }
}
