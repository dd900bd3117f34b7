using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Pulse.Presence;
using Pulse.Silo.Clock;
using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Clock;

/// <summary>
/// Sets the wall clock of all silos, or of one, while users are connected. Two silos, real PostgreSQL, real Redis, leases of seconds.
/// </summary>
/// <remarks>Each step has a class, because classes run at the same time and these tests mostly wait.</remarks>
public abstract class ClockStepContract(TimeSpan step, bool ofAllSilos) : IAsyncLifetime
{
    // With so many, each silo has some.
    private const int Users = 8;

    // A minute, or the time in which silos that count by the stepped clock would still show the silent user as online, if that is shorter.
    private readonly TimeSpan _bound = TimeSpan.FromSeconds(Math.Min(60, (PulseCluster.TimeToLive + step.Duration()).TotalSeconds - 1));
    private readonly SteppingCluster _cluster = new();
    private readonly Dictionary<Guid, PulseCluster.LeaseRenewal> _renewals = [];

    public Task InitializeAsync() => _cluster.InitializeAsync();

    public Task DisposeAsync()
    {
        foreach (var renewal in _renewals.Values) renewal.Dispose();
        return _cluster.DisposeAsync();
    }

    [Fact]
    public Task ClockIsSet_KeysStay_NewUsersAreServed_SilentUsersGoOffline() => Runs.OneOfThreePassesAsync(async () =>
    {
        var (live, silent, newcomers) = (NewUsers(), NewUsers(), NewUsers());
        foreach (var id in live) _renewals[id] = _cluster.KeepRenewing(id, Lease(id));
        foreach (var id in live) await Eventually.AsyncEqual(true, () => _cluster.Redis.KeyExistsAsync(PulseCluster.Key(id)));
        foreach (var id in silent) await User(id).ConnectAsync(Lease(id), _cluster.FrontEnd);

        foreach (var wall in ofAllSilos ? _cluster.Walls : _cluster.Walls[..1]) wall.Step(step);

        foreach (var id in newcomers)
        {
            await User(id).SyncProfileAsync(new() { Email = $"{id:N}@users.test", Name = "Ada" });
            await User(id).ConnectAsync(Lease(id), _cluster.FrontEnd);
        }

        var clock = Stopwatch.StartNew();
        var stillOnline = silent.ToHashSet();
        foreach (var id in newcomers) _renewals[id] = _cluster.KeepRenewing(id, Lease(id));

        // A key that is no longer renewed expires within one lifetime.
        while (stillOnline.Count > 0 || clock.Elapsed < PulseCluster.TimeToLive * 1.5)
        {
            foreach (var id in live)
            {
                Assert.True(
                    await _cluster.Redis.KeyExistsAsync(PulseCluster.Key(id)),
                    $"The key of a connected user expired {clock.Elapsed} after the step. Renewals: {_renewals[id].Failure}");
                Assert.NotEqual(PresenceStatus.Offline, (await User(id).GetPresenceAsync()).Status);
            }

            foreach (var id in stillOnline.ToArray())
            {
                if ((await User(id).GetPresenceAsync()).Status == PresenceStatus.Offline) stillOnline.Remove(id);
            }

            Assert.True(stillOnline.Count == 0 || clock.Elapsed < _bound, $"A user whose front end is silent is still online {clock.Elapsed} after the step.");
            await Task.Delay(50);
        }

        foreach (var id in live.Concat(newcomers)) Assert.Equal(PresenceStatus.Online, (await User(id).GetPresenceAsync()).Status);
    });

    private static Guid[] NewUsers() => [.. Enumerable.Range(0, Users).Select(_ => Guid.CreateVersion7())];

    private IUserGrain User(Guid id) => _cluster.Client.GetGrain<IUserGrain>(id);

    private static ConnectionLease Lease(Guid id) =>
        new() { ConnectionId = $"{id:N}-a", FrontEndId = "front-end", SeenAt = TimeProvider.System.GetUtcNow(), ActiveAt = TimeProvider.System.GetUtcNow() };

    private sealed class SteppingCluster : PulseCluster
    {
        /// <summary>The silos' clocks.</summary>
        public List<SettableClock> Walls { get; } = [];

        private protected override void Adjust(IHostApplicationBuilder host)
        {
            var wall = new SettableClock();
            lock (Walls) Walls.Add(wall);
            host.Services.AddSingleton<TimeProvider>(new SteadyClock(wall));
        }
    }
}

public sealed class ClockSetBackTenSecondsTests() : ClockStepContract(TimeSpan.FromSeconds(-10), ofAllSilos: true);

public sealed class ClockSetBackTenSecondsOfOneSiloTests() : ClockStepContract(TimeSpan.FromSeconds(-10), ofAllSilos: false);

public sealed class ClockSetBackNinetySecondsTests() : ClockStepContract(TimeSpan.FromSeconds(-90), ofAllSilos: true);

public sealed class ClockSetBackNinetySecondsOfOneSiloTests() : ClockStepContract(TimeSpan.FromSeconds(-90), ofAllSilos: false);

public sealed class ClockSetBackAnHourTests() : ClockStepContract(TimeSpan.FromHours(-1), ofAllSilos: true);

public sealed class ClockSetBackAnHourOfOneSiloTests() : ClockStepContract(TimeSpan.FromHours(-1), ofAllSilos: false);

public sealed class ClockSetForwardTests() : ClockStepContract(TimeSpan.FromHours(1), ofAllSilos: true);

public sealed class ClockSetForwardOfOneSiloTests() : ClockStepContract(TimeSpan.FromHours(1), ofAllSilos: false);
