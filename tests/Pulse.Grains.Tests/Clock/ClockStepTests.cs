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
/// <remarks>Each step has a class, because classes run at the same time and these tests mostly wait.</remarks>
public abstract class ClockStepContract(TimeSpan step) : IAsyncLifetime
{
    // A minute, or the time in which silos that count by the stepped clock would still show the silent user as online, if that is shorter.
    private readonly TimeSpan _bound = TimeSpan.FromSeconds(Math.Min(60, (PulseCluster.TimeToLive + step.Duration()).TotalSeconds - 1));
    private readonly SteppingCluster _cluster = new();

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync() => _cluster.DisposeAsync();

    [Fact]
    public Task ClockIsSet_KeysStay_NewUsersAreServed_SilentUsersGoOffline() => Runs.OneOfThreePassesAsync(async () =>
    {
        var (live, silent, newcomer) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        using var renewing = _cluster.KeepRenewing(live, Lease(live));
        await Eventually.AsyncEqual(true, () => _cluster.Redis.KeyExistsAsync(PulseCluster.Key(live)));
        await User(silent).ConnectAsync(Lease(silent), _cluster.FrontEnd);

        _cluster.Wall.Step(step);

        await User(newcomer).SyncProfileAsync(new() { Email = $"{newcomer:N}@users.test", Name = "Ada" });
        await User(newcomer).ConnectAsync(Lease(newcomer), _cluster.FrontEnd);
        var clock = Stopwatch.StartNew();
        var isSilentOffline = false;
        using var renewingToo = _cluster.KeepRenewing(newcomer, Lease(newcomer));

        // A key that is no longer renewed expires within one lifetime.
        while (!isSilentOffline || clock.Elapsed < PulseCluster.TimeToLive * 1.5)
        {
            Assert.True(
                await _cluster.Redis.KeyExistsAsync(PulseCluster.Key(live)),
                $"The key of a connected user expired {clock.Elapsed} after the step. Renewals: {renewing.Failure}");
            Assert.NotEqual(PresenceStatus.Offline, (await User(live).GetPresenceAsync()).Status);
            isSilentOffline = isSilentOffline || (await User(silent).GetPresenceAsync()).Status == PresenceStatus.Offline;
            Assert.True(isSilentOffline || clock.Elapsed < _bound, $"A user whose front end is silent is still online {clock.Elapsed} after the step.");
            await Task.Delay(50);
        }

        Assert.Equal(PresenceStatus.Online, (await User(live).GetPresenceAsync()).Status);
        Assert.Equal(PresenceStatus.Online, (await User(newcomer).GetPresenceAsync()).Status);
    });

    private IUserGrain User(Guid id) => _cluster.Client.GetGrain<IUserGrain>(id);

    private static ConnectionLease Lease(Guid id) =>
        new() { ConnectionId = $"{id:N}-a", FrontEndId = "front-end", SeenAt = TimeProvider.System.GetUtcNow(), ActiveAt = TimeProvider.System.GetUtcNow() };

    private sealed class SteppingCluster : PulseCluster
    {
        public SettableClock Wall { get; } = new();

        private protected override void Adjust(IHostApplicationBuilder host) => host.Services.AddSingleton<TimeProvider>(new SteadyClock(Wall));
    }
}

public sealed class ClockSetBackTenSecondsTests() : ClockStepContract(TimeSpan.FromSeconds(-10));

public sealed class ClockSetBackNinetySecondsTests() : ClockStepContract(TimeSpan.FromSeconds(-90));

public sealed class ClockSetBackAnHourTests() : ClockStepContract(TimeSpan.FromHours(-1));

public sealed class ClockSetForwardTests() : ClockStepContract(TimeSpan.FromHours(1));
