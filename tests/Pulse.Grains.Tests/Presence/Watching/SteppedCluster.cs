using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Pulse.Grains.Presence;
using Pulse.Users;

namespace Pulse.Grains.Tests.Presence.Watching;

/// <summary>Two silos whose presence uses a clock that the test sets.</summary>
/// <remarks>Redis counts a key's time by its own clock, so the silos share an index that uses the test's.</remarks>
public sealed class SteppedCluster : PulseCluster
{
    internal static readonly PresenceOptions Options = new()
    {
        TimeToLive = TimeSpan.FromSeconds(60),
        OfflineGrace = TimeSpan.FromSeconds(10),
        AwayAfter = TimeSpan.FromSeconds(50),
    };

    private readonly IPresenceIndex _index;

    public SteppedCluster() => _index = new MemoryPresenceIndex(Microsoft.Extensions.Options.Options.Create(Options), Clock);

    internal SteppedClock Clock { get; } = new();

    /// <summary>The periodic work of each silo's sweep.</summary>
    internal async Task SweepAsync()
    {
        foreach (var silo in Cluster.Silos)
        {
            await silo.ServiceProvider.GetRequiredService<SiloPauseGuard>().TickAsync();
            var keys = silo.ServiceProvider.GetRequiredService<PresenceKeys>();
            await keys.RenewAsync();
            foreach (var (userId, _) in keys.FindExpired()) await Client.GetGrain<IUserGrain>(userId).ExpireLeasesAsync();
        }
    }

    private protected override void Adjust(IHostApplicationBuilder host)
    {
        host.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Pulse:Presence:TimeToLive"] = Options.TimeToLive.ToString(),
            ["Pulse:Presence:OfflineGrace"] = Options.OfflineGrace.ToString(),
            ["Pulse:Presence:AwayAfter"] = Options.AwayAfter.ToString(),
            ["Pulse:Presence:MaxConnectionsPerUser"] = "20",
        });
        host.Services.AddSingleton<TimeProvider>(Clock);
        host.Services.AddSingleton(_index);
    }
}

/// <summary>The time is set by the test. Timers run on, because the silos need theirs.</summary>
internal sealed class SteppedClock : TimeProvider
{
    private long _utcTicks = System.GetUtcNow().UtcTicks;

    public DateTimeOffset Now => new(Volatile.Read(ref _utcTicks), TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Now;

    public void Set(DateTimeOffset now) => Volatile.Write(ref _utcTicks, now.UtcTicks);
}
