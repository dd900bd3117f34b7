using Pulse.Web.Tests.Conversations;

namespace Pulse.Web.Tests.Demo;

/// <summary>The bounds of what <c>--demo</c> people write by themselves.</summary>
public sealed class DemoBoundsTests(DemoBoundsTests.Application pulse) : IClassFixture<DemoBoundsTests.Application>
{
    private const int MaxEntries = 40;

    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(1.5);

    public sealed class Application() : DemoApplication(MaxEntries);

    [Fact]
    public async Task People_TalkOnlyWhileAUserIsConnected_AndUntilTheLogIsLong()
    {
        using var joan = await ChatUser.SyncAsync(pulse, "Joan Clarke");
        Guid? channel = null;
        await Eventually.AsyncTrue("the channel", async () => (channel = await FindAsync(joan)) is not null);
        var id = channel!.Value;
        await joan.SetMemberAsync(id, joan);

        // All clients are disconnected, so the first talk is the last.
        await SilenceAsync(joan, id);
        Assert.InRange(await joan.HeadAsync(id), 5, MaxEntries - 20);

        await using var socket = await joan.ConnectAsync();
        await socket.OpenAsync(id);
        await socket.NextAsync("TypingChanged", told => told.GetProperty("userIds").GetArrayLength() > 0);
        await Eventually.AsyncTrue("a long log", async () => await joan.HeadAsync(id) >= MaxEntries);

        // The last line may still get its edit and its reaction.
        await SilenceAsync(joan, id);
        Assert.InRange(await joan.HeadAsync(id), MaxEntries, MaxEntries + 3);
    }

    private static async Task<Guid?> FindAsync(ChatUser user) =>
        (Guid?)(await user.GetAsync("/channels"))["items"]!.AsArray().SingleOrDefault(item => (string?)item!["title"] == "Coffee corner")?["id"];

    /// <summary>Waits until nothing is written for about ten times the pause between two lines.</summary>
    private static async Task SilenceAsync(ChatUser user, Guid id)
    {
        long head = 0;
        await Eventually.AsyncTrue("silence", async () =>
        {
            var before = head;
            await Task.Delay(s_silence);
            head = await user.HeadAsync(id);
            return head == before;
        });
    }
}
