using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Pulse.Grains.Tests;

/// <summary>A cluster on which nothing runs out, and nothing is done from time to time, while a test that a busy machine holds up is at work.</summary>
public sealed class PatientCluster : PulseCluster
{
    public static readonly TimeSpan PatientTimeToLive = TimeSpan.FromMinutes(10);

    private protected override void Adjust(IHostApplicationBuilder host) => host.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
    {
        ["Pulse:Presence:TimeToLive"] = PatientTimeToLive.ToString(),
        ["Pulse:Presence:HeartbeatInterval"] = PatientTimeToLive.ToString(),
        ["Pulse:Presence:OfflineGrace"] = PatientTimeToLive.ToString(),
    });
}

/// <summary>Shares one such cluster among the test classes that only need keys of their own.</summary>
[CollectionDefinition(Name)]
public sealed class SharedPatientCluster : ICollectionFixture<PatientCluster>
{
    public const string Name = "Patient cluster";
}
