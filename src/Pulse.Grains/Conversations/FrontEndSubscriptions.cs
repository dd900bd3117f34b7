using Pulse.Conversations;

namespace Pulse.Grains.Conversations;

/// <summary>The front ends that have a conversation open. Sends each the entries that it lacks, one call at a time.</summary>
internal sealed class FrontEndSubscriptions(Guid conversationId, TimeProvider time)
{
    private const int MaxEntries = 500;

    private static readonly TimeSpan s_callTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan s_lifetime = TimeSpan.FromSeconds(30);

    private readonly Dictionary<IConversationObserver, Subscription> _byFrontEnd = [];

    /// <summary>How many front ends there are.</summary>
    public int Count => _byFrontEnd.Count;

    /// <summary>Subscribes a front end, or renews that.</summary>
    /// <returns>What follows the entry that the front end has.</returns>
    public ConversationRun Renew(IConversationObserver frontEnd, long afterSeq, ConversationState state)
    {
        if (!_byFrontEnd.TryGetValue(frontEnd, out var subscription)) _byFrontEnd.Add(frontEnd, subscription = new(frontEnd));
        subscription.RenewedAt = time.GetTimestamp();
        var missing = state.Recent.After(afterSeq, state.Head);
        if (missing is { Length: > MaxEntries }) missing = null;
        subscription.Sent = state.Head;
        return new() { ConversationId = conversationId, Entries = missing ?? [], Head = state.Head, TooFar = missing is null };
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
        foreach (var subscription in _byFrontEnd.Values) Send(subscription, state);
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

    /// <summary>Sends who is typing.</summary>
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
            while (!subscription.IsOver && Next(subscription, state) is { } run) await subscription.FrontEnd.TakeAsync(run).WaitAsync(s_callTimeout, time);
        }
        catch (Exception)
        {
            // The front end has died, or does not answer. If it lives, its next renewal subscribes it anew and fetches what is missing.
            Remove(subscription.FrontEnd);
        }
        finally
        {
            subscription.IsSending = false;
        }
    }

    private ConversationRun? Next(Subscription subscription, ConversationState state)
    {
        if (subscription.Sent >= state.Head && subscription.Markers is null && subscription.Typing is null) return null;
        var entries = state.Recent.After(subscription.Sent, state.Head, MaxEntries);
        var run = new ConversationRun
        {
            ConversationId = conversationId, Entries = entries ?? [], Head = state.Head, TooFar = entries is null,
            Markers = subscription.Markers is { } markers ? [.. markers.Values] : [], Typing = subscription.Typing,
        };
        subscription.Sent = entries is [.., var last] ? last.Seq : entries is null ? state.Head : subscription.Sent;
        (subscription.Markers, subscription.Typing) = (null, null);
        return run;
    }

    private sealed class Subscription(IConversationObserver frontEnd)
    {
        public IConversationObserver FrontEnd => frontEnd;

        public long Sent { get; set; }

        public long RenewedAt { get; set; }

        public bool IsSending { get; set; }

        public bool IsOver { get; set; }

        public Dictionary<Guid, ReadMarker>? Markers { get; set; }

        public Guid[]? Typing { get; set; }
    }
}
