using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;

namespace Pulse.Web.Tests.Conversations;

/// <summary>Users who are removed and added again, while others send, type and read.</summary>
public sealed class RemovalTests(ManySends pulse) : IClassFixture<ManySends>
{
    // `PULSE_REMOVALS=1000` for the whole measurement.
    private static readonly int s_removals = int.Parse(Environment.GetEnvironmentVariable("PULSE_REMOVALS") ?? "100", CultureInfo.InvariantCulture);

    [Fact]
    public async Task AfterARemoval_NoEntryHintTypingOrReceiptWithALaterSeq_ReachesTheUser()
    {
        using var owner = await ChatUser.SyncAsync(pulse, "Owner");
        ChatUser[] staying = await Task.WhenAll(Enumerable.Range(0, 3).Select(i => ChatUser.SyncAsync(pulse, $"Staying {i}")));
        ChatUser[] leaving = await Task.WhenAll(Enumerable.Range(0, 4).Select(i => ChatUser.SyncAsync(pulse, $"Leaving {i}")));
        ChatUser[] moderators = await Task.WhenAll(Enumerable.Range(0, leaving.Length).Select(i => ChatUser.SyncAsync(pulse, $"Moderator {i}")));
        var group = await owner.CreateAsync("group", [.. staying, .. leaving, .. moderators]);
        foreach (var moderator in moderators) await owner.SetMemberAsync(group, moderator, "moderator");
        using var done = new CancellationTokenSource();
        var busy = staying.Select(user => KeepBusyAsync(user, group, done.Token)).ToArray();

        var faults = new ConcurrentQueue<string>();
        await Task.WhenAll(leaving.Zip(moderators).Select(pair => ComeAndGoAsync(pair.Second, pair.First, group, s_removals / leaving.Length, faults)));
        await done.CancelAsync();
        await Task.WhenAll(busy);

        Assert.Empty(faults);
        foreach (var user in (ChatUser[])[.. staying, .. leaving, .. moderators]) user.Dispose();
    }

    private static async Task ComeAndGoAsync(ChatUser moderator, ChatUser user, Guid group, int times, ConcurrentQueue<string> faults)
    {
        for (var i = 0; i < times; i++)
        {
            await using var open = await user.ConnectAsync();
            await using var hinted = await user.ConnectAsync();
            await using var opening = await user.ConnectAsync();
            await open.OpenAsync(group);
            await open.UntilAsync(group, await moderator.SendAsync(group, "seen"));

            // Opens while it is removed.
            var attempt = TryOpenAsync(opening, group);
            var removed = await moderator.RemoveAsync(group, user);
            var opened = await attempt;

            await open.NextAsync("ConversationGone");
            var later = await moderator.SendAsync(group, "not for the removed");

            // An answer on the same socket comes after everything that was written before.
            foreach (var socket in new[] { open, hinted, opening })
            {
                await socket.RefusedAsync("not-found", "OpenConversation", group, 0);
                foreach (var seq in socket.Seqs(group).Where(seq => seq > removed)) faults.Enqueue($"Entry {seq} after the removal at {removed}.");
                foreach (var hint in socket.Received("InboxChanged", group).SelectMany(message => message.GetProperty("conversations").EnumerateArray()))
                {
                    if (hint.GetProperty("head").GetInt64() is var head && head >= removed) faults.Enqueue($"A hint with the head {head} after the removal at {removed}.");
                }

                foreach (var marker in socket.Received("ReadChanged", group).SelectMany(message => message.GetProperty("markers").EnumerateArray()))
                {
                    if (marker.GetProperty("read").GetInt64() is var read && read > removed) faults.Enqueue($"A marker at {read} after the removal at {removed}.");
                }
            }

            if (opened is { } answer && answer.GetProperty("head").GetInt64() > removed) faults.Enqueue($"OpenConversation answered the head {answer.GetProperty("head")} after the removal at {removed}.");
            if (later <= removed) faults.Enqueue($"Seq {later} was given after {removed}.");
            await moderator.SetMemberAsync(group, user);
        }
    }

    private static async Task<JsonElement?> TryOpenAsync(ChatClient client, Guid group)
    {
        try
        {
            return await client.OpenAsync(group);
        }
        catch (HubException refused) when (refused.Message.StartsWith("not-found", StringComparison.Ordinal))
        {
            return null;
        }
    }

    private static async Task KeepBusyAsync(ChatUser user, Guid group, CancellationToken done)
    {
        await using var socket = await user.ConnectAsync();
        await socket.OpenAsync(group);
        while (!done.IsCancellationRequested)
        {
            try
            {
                await socket.DoAsync("Typing", group);
                var seq = await socket.SendAsync(group, "busy");
                await socket.CallAsync("MarkRead", group, seq);
            }
            catch (HubException e) when (e.Message.StartsWith("too-many", StringComparison.Ordinal) || e.Message.StartsWith("un", StringComparison.Ordinal))
            {
                // Too fast, or a machine so busy that a commit took too long.
                await Task.Delay(50, CancellationToken.None);
            }
        }
    }
}
