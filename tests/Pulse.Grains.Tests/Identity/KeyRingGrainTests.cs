using Pulse.Identity;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

[Collection(SharedPatientCluster.Name)]
public sealed class KeyRingGrainTests(PatientCluster cluster)
{
    [Fact]
    public async Task Keys_OutliveTheActivation()
    {
        var ring = cluster.Client.GetGrain<IKeyRingGrain>(Guid.NewGuid().ToString());
        await ring.AddKeyAsync("one", "<key id='1'/>");
        await ring.AddKeyAsync("two", "<key id='2'/>");
        await cluster.Cluster.DeactivateAsync(ring);

        Assert.Equal(["<key id='1'/>", "<key id='2'/>"], (await ring.GetKeysAsync()).Order());
    }
}
