using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Tests.Presence;

namespace Pulse.Web.Tests.Conversations;

/// <summary>A client that does not read what its conversations send.</summary>
public sealed class SlowChatReaderTests(ManySends pulse) : IClassFixture<ManySends>
{
    private const int LeastForOneSocket = 8_000;
    private const int MostForOneSocket = 64 * 1024;

    // Beyond what the sockets of both sides buffer, and beyond the entries that a front end keeps.
    private const int Rounds = 40;

    [Fact]
    public async Task ClientThatDoesNotRead_IsKeptLittle_AndCatchesUpWhenItReads()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        ChatUser[] senders = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => ChatUser.SyncAsync(pulse, $"Sender {i}")));
        var group = await senders[0].CreateAsync("group", [ada, .. senders[1..]]);
        var others = await Task.WhenAll(senders.Select(sender => sender.CreateAsync("direct", ada)));
        await using var fast = await senders[0].ConnectAsync();
        await fast.OpenAsync(group);
        using var slow = await SlowSocket.ConnectAsync(pulse.Address, ada.Token);
        await slow.CallAsync("OpenConversation", [group, 0], id: "open");
        await slow.NextAsync("\"invocationId\":\"open\"");

        // The longest texts, in an alphabet that JSON escapes.
        var most = 0L;
        var last = 0L;
        // Some rounds follow the last time that the socket opens the conversation again, so that it is behind in the end.
        for (var round = 0; round < Rounds || most < LeastForOneSocket || round % 10 != 0; round++)
        {
            Assert.True(round < 10 * Rounds, "The socket took everything.");
            var seqs = await Task.WhenAll(senders.Select(sender => sender.SendAsync(group, new string('\u0436', 8_000))));
            await Task.WhenAll(senders.Zip(others).Select(pair => pair.First.SendAsync(pair.Second, $"hint {round}")));
            last = Math.Max(last, seqs.Max());
            most = Math.Max(most, Waiting());
            if (round % 10 == 4) await OpenAgainAsync(slow, group, last);
        }

        await fast.UntilAsync(group, last);
        Assert.InRange(most, LeastForOneSocket, MostForOneSocket);

        // The socket is sent what it was kept, then that it is behind. The client fetches the rest, and opens the conversation again.
        var behind = await slow.NextAsync("Behind");
        Assert.True(behind.GetProperty("arguments")[0].GetProperty("head").GetInt64() > 0);
        await slow.CallAsync("OpenConversation", [group, last], id: "again");
        var opened = await slow.NextAsync("\"invocationId\":\"again\"");
        Assert.True(opened.TryGetProperty("result", out _), opened.ToString());
        var next = await senders[0].SendAsync(group, "next");
        Assert.Equal(next, (await slow.NextAsync($"\"from\":{next}")).GetProperty("arguments")[0].GetProperty("from").GetInt64());
        await Eventually.AsyncTrue("nothing waits", () => Task.FromResult(Waiting() == 0));
        foreach (var sender in senders) sender.Dispose();
    }

    [Fact]
    public async Task HintsThatCouldNotBeWritten_AreWrittenLater_WithTheNewestState()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        ChatUser[] senders = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => ChatUser.SyncAsync(pulse, $"Sender {i}")));
        var conversations = await Task.WhenAll(senders.Select(sender => sender.CreateAsync("direct", ada)));
        var group = await senders[0].CreateAsync("group", [ada, .. senders[1..]]);
        using var slow = await SlowSocket.ConnectAsync(pulse.Address, ada.Token);
        await slow.CallAsync("OpenConversation", [group, 0], id: "open");
        await slow.NextAsync("\"invocationId\":\"open\"");

        for (var round = 0; Waiting() == 0; round++)
        {
            Assert.True(round < 10 * Rounds, "The socket took everything.");
            var seqs = await Task.WhenAll(senders.Select(sender => sender.SendAsync(group, new string('\u0436', 8_000))));
            if (round % 10 == 4) await OpenAgainAsync(slow, group, seqs.Max());
        }

        var heads = await Task.WhenAll(senders.Zip(conversations).Select(async pair =>
        {
            await pair.First.SendAsync(pair.Second, "first");
            return await pair.First.SendAsync(pair.Second, "second");
        }));

        var missing = conversations.Zip(heads).ToDictionary(pair => pair.First, pair => pair.Second);
        while (missing.Count > 0)
        {
            var items = (await slow.NextAsync("InboxChanged")).GetProperty("arguments")[0].GetProperty("conversations");
            foreach (var item in items.EnumerateArray())
            {
                var id = item.GetProperty("id").GetGuid();
                if (missing.TryGetValue(id, out var head) && item.GetProperty("head").GetInt64() == head) missing.Remove(id);
            }
        }

        foreach (var sender in senders) sender.Dispose();
    }

    // A socket that falls behind the entries that the front end keeps, as may happen on a busy machine before the socket is full, is sent no
    // more of them until the conversation is opened again.
    private static Task OpenAgainAsync(SlowSocket slow, Guid group, long head) => slow.CallAsync("OpenConversation", [group, head]);

    private long Waiting()
    {
        var waiting = 0L;
        using var listener = new MeterListener();
        var meters = pulse.Services.GetRequiredService<IMeterFactory>();
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (instrument.Name == "pulse.chat.socket.waiting" && instrument.Meter.Scope == meters) self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((_, bytes, _, _) => waiting = Math.Max(waiting, bytes));
        listener.Start();
        listener.RecordObservableInstruments();
        return waiting;
    }
}

/// <summary>An application in which one sender may send fast, and one user may add many.</summary>
public sealed class ManySends() : PulseApplication([
    new("Pulse:Chat:SendsAtOnce", "10000"), new("Pulse:Chat:SendsPerSecond", "1000"), new("Pulse:Chat:AddsPerMinute", "100000"), new("Pulse:Chat:StartsPerMinute", "1000"),
    new("Pulse:Presence:ConnectsAtOncePerUser", "10000")]);
