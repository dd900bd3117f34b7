using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Pulse.Grains.Tests;

/// <summary>
/// A cluster with long deadlines and intervals, so that expiries and periodic work come after the end of a test on a busy machine.
/// </summary>
public sealed class PatientCluster : PulseCluster
{
    public static readonly TimeSpan PatientTimeToLive = TimeSpan.FromMinutes(10);

    private protected override void Adjust(IHostApplicationBuilder host) => host.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
    {
        ["Pulse:Presence:TimeToLive"] = PatientTimeToLive.ToString(),
        ["Pulse:Presence:HeartbeatInterval"] = PatientTimeToLive.ToString(),
        ["Pulse:Presence:OfflineGrace"] = PatientTimeToLive.ToString(),
        ["Pulse:Presence:AwayAfter"] = (PatientTimeToLive * 2).ToString(),
    });
}

/// <summary>Shares one such cluster among test classes that only need keys of their own.</summary>
[CollectionDefinition(Name)]
public sealed class SharedPatientCluster : ICollectionFixture<PatientCluster>
{
    public const string Name = "Patient cluster";
}
