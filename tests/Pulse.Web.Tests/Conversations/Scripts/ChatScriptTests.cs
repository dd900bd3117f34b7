using FsCheck.Xunit;

namespace Pulse.Web.Tests.Conversations.Scripts;

/// <summary>The promises of the chat for whatever happens to silos, front ends, database, clients and network.</summary>
public sealed class ChatScriptTests(ScriptCluster cluster) : IClassFixture<ScriptCluster>
{
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(2);

    // Some runs end with the time-out of a step whose cause is unknown, so ./test.sh leaves this test to runs that name it.
    [Trait("Category", "OnDemand")]
    [ChatProperty(Arbitrary = [typeof(ChatScripts)])]
    public async Task AnyScript_LeavesEveryReaderWithTheLog_AndEachAcknowledgedSendOnce(ChatScript script)
    {
        var world = new ChatWorld(cluster, script);
        await world.PlayAsync().WaitAsync(s_longest);
        var faults = await world.SettleAsync().WaitAsync(s_longest);

        Assert.True(faults.Length == 0, string.Join(Environment.NewLine, faults.Distinct().Take(20)));
    }
}

/// <summary>A property whose cost CONTRIBUTING.md explains: few cases by default.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ChatPropertyAttribute : PropertyAttribute
{
    public ChatPropertyAttribute()
    {
        MaxTest = int.Parse(Environment.GetEnvironmentVariable("PULSE_CHAT_SCRIPTS") ?? "12", null);
        if (Environment.GetEnvironmentVariable("PULSE_CHAT_REPLAY") is { Length: > 0 } replay) Replay = replay;
    }
}
