using FsCheck.Xunit;
using Xunit;

namespace Pulse.Grains.Tests.Presence.Watching;

/// <summary>The state of front ends after the messages of two silos' grains, whatever happens to silos, front ends and network.</summary>
public sealed class WatchingTests(SteppedCluster cluster) : IClassFixture<SteppedCluster>
{
    [Property(MaxTest = 100, Arbitrary = [typeof(Scripts)])]
    public async Task AnyScript_ConvergesToTheTrueState_WithoutFalseOfflineOrVisibleInvisibleUsers(Script script)
    {
        var world = new World(cluster);
        await world.PlayAsync(script);
        await world.SettleAsync();

        string[] faults = [.. world.Faults()];
        Assert.True(faults.Length == 0, string.Join(Environment.NewLine, faults));
    }
}
