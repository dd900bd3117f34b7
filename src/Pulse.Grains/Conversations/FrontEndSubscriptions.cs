using System.Diagnostics;
using Pulse.Conversations;

namespace Pulse.Grains.Conversations;

/// <summary>The front ends that have a conversation open. Sends each the entries that it lacks, one call at a time.</summary>
internal sealed class FrontEndSubscriptions(Guid conversationId, IConversationStore store, ChatMetrics metrics, TimeProvider time)
{
    private const int MaxEntries = 500;

    private static readonly TimeSpan s_callTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_lifetime = TimeSpan.FromSeconds(30);

    private readonly Dictionary<IConversationObserver, Subscription> _byFrontEnd = [];

    /// <summary>How many front ends there are.</summary>
    public int Count => _byFrontEnd.Count;

    /// <summary>Subscribes a front end, or renews that.</summary>
    /// <returns>What follows the entry that the front end has.</returns>
    public async Task<ConversationRun> RenewAsync(IConversationObserver frontEnd, long afterSeq, ConversationState state)
    {
        if (!_byFrontEnd.TryGetValue(frontEnd, out var subscription)) _byFrontEnd.Add(frontEnd, subscription = new(frontEnd));
        subscription.RenewedAt = time.GetTimestamp();
        var head = state.Head;
        subscription.Sent = head;
        var missing = await FindAsync(afterSeq, head, state);
        return new() { ConversationId = conversationId, Entries = missing ?? [], Head = head, TooFar = missing is null };
    }

    /// <summary>Ends the subscription of a front end.</summary>
    public void Remove(IConversationObserver frontEnd)
    {
        if (_byFrontEnd.Remove(frontEnd, out var subscription)) subscription.IsOver = true;
    }

    /// <summary>Ends the subscriptions that were not renewed.</summary>
    public void RemoveSilent()
    {
        foreach (var (frontEnd, _) in _byFrontEnd.Where(entry => time.GetElapsedTime(entry.Value.RenewedAt) > s_lifetime).ToArray()) Remove(frontEnd);
    }

    /// <summary>Sends new entries.</summary>
    public void Publish(ConversationState state)
    {
        foreach (var subscription in _byFrontEnd.Values)
        {
            subscription.Trace = Activity.Current?.Context ?? default;
            Send(subscription, state);
        }
    }

    /// <summary>Sends a read marker that has moved.</summary>
    public void Publish(ReadMarker marker, ConversationState state)
    {
        foreach (var subscription in _byFrontEnd.Values)
        {
            (subscription.Markers ??= [])[marker.UserId] = marker;
            Send(subscription, state);
        }
    }

    /// <summary>Sends the list of typing users.</summary>
    public void PublishTyping(Guid[] typing, ConversationState state)
    {
        foreach (var subscription in _byFrontEnd.Values)
        {
            subscription.Typing = typing;
            Send(subscription, state);
        }
    }

    // What is published while a call is under way goes with the next one.
    private async void Send(Subscription subscription, ConversationState state)
    {
        if (subscription.IsSending) return;
        subscription.IsSending = true;
        try
        {
            while (!subscription.IsOver && await NextAsync(subscription, state) is { } run) await SendAsync(subscription, run);
        }
        catch (Exception)
        {
            // The front end has died, or does not answer. If it lives, its next renewal subscribes it anew and fetches what is missing.
            subscription.IsOver = true;
            // The front end may have subscribed anew while the call waited.
            if (_byFrontEnd.GetValueOrDefault(subscription.FrontEnd) == subscription) _byFrontEnd.Remove(subscription.FrontEnd);
        }
        finally
        {
            subscription.IsSending = false;
        }
    }

    private async Task SendAsync(Subscription subscription, ConversationRun run)
    {
        // Calls follow one another, so the caller's own trace may be that of an earlier run.
        using var activity = ChatTracing.Source.StartActivity(ChatTracing.Deliver, ActivityKind.Internal, subscription.Trace);
        metrics.Undelivered(run.Entries.Length);
        try
        {
            await subscription.FrontEnd.TakeAsync(run).WaitAsync(s_callTimeout, time);
        }
        finally
        {
            metrics.Undelivered(-run.Entries.Length);
        }
    }

    private async Task<ConversationRun?> NextAsync(Subscription subscription, ConversationState state)
    {
        var (sent, head, markers, typing) = (subscription.Sent, state.Head, subscription.Markers, subscription.Typing);
        if (sent >= head && markers is null && typing is null) return null;
        (subscription.Sent, subscription.Markers, subscription.Typing) = (Math.Max(sent, head), null, null);
        var entries = await FindAsync(sent, head, state);
        return new()
        {
            ConversationId = conversationId, Entries = entries ?? [], Head = head, TooFar = entries is null,
            Markers = markers is null ? [] : [.. markers.Values], Typing = typing,
        };
    }

    /// <summary>The entries after a seq up to the head: from memory, or else from the database.</summary>
    /// <returns><see langword="null"/> when there are too many.</returns>
    private async Task<ConversationEntry[]?> FindAsync(long after, long head, ConversationState state)
    {
        if (state.Recent.After(after, head) is { Length: <= MaxEntries } recent) return [.. recent.TakeWhile(entry => entry.Seq <= head)];
        if (head - after > MaxEntries) return null;
        var seqs = Enumerable.Range(1, (int)(head - after)).Select(i => after + i).ToArray();
        var stored = await store.FindEntriesAsync(conversationId, seqs);
        return stored.Count == seqs.Length ? [.. stored.Select(found => found.Entry)] : null;
    }

    private sealed class Subscription(IConversationObserver frontEnd)
    {
        public IConversationObserver FrontEnd => frontEnd;

        public long Sent { get; set; }

        public ActivityContext Trace { get; set; }

        public long RenewedAt { get; set; }

        public bool IsSending { get; set; }

        public bool IsOver { get; set; }

        public Dictionary<Guid, ReadMarker>? Markers { get; set; }

        public Guid[]? Typing { get; set; }
    }
}
