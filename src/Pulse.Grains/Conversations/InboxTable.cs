using Pulse.Conversations;

namespace Pulse.Grains.Conversations;

/// <summary>Gathers the changes in the conversations of this silo, and sends them to all front ends, one call at a time for each.</summary>
/// <remarks>
/// A front end gets for each conversation the newest head and all users for whom something has changed. The changes for
/// a front end that does not answer are merged until it registers again or is removed, while the others get theirs.
/// </remarks>
internal sealed class InboxTable(TimeProvider time)
{
    /// <summary>Above so many recipients changes are gathered for a second.</summary>
    private const int FewRecipients = 100;

    private static readonly TimeSpan s_gathering = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_longGathering = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_lifetime = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan s_callTimeout = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly Dictionary<IInboxObserver, FrontEnd> _frontEnds = [];
    private Dictionary<Guid, Change> _soon = [];
    private Dictionary<Guid, Change> _later = [];

    /// <summary>How many front ends there are.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _frontEnds.Count;
        }
    }

    /// <summary>Registers a front end, or renews that.</summary>
    public void Register(IInboxObserver observer)
    {
        lock (_lock)
        {
            if (!_frontEnds.TryGetValue(observer, out var frontEnd)) _frontEnds.Add(observer, frontEnd = new(observer));
            frontEnd.RenewedAt = time.GetTimestamp();
            frontEnd.IsSilent = false;
            if (frontEnd.Waiting.Count > 0 && !frontEnd.IsSending) _ = SendAsync(frontEnd);
        }
    }

    /// <summary>Removes a front end.</summary>
    public void Forget(IInboxObserver observer)
    {
        lock (_lock) _frontEnds.Remove(observer);
    }

    /// <summary>Publishes that a conversation has changed.</summary>
    /// <param name="conversationId">The conversation.</param>
    /// <param name="head">Seq of its newest entry, or 0 if the log is unchanged.</param>
    /// <param name="recipients">The users whose view of the log has changed.</param>
    /// <param name="own">The users whose own part has changed.</param>
    /// <param name="isLarge">Whether the conversation is too large for counts.</param>
    public void Publish(Guid conversationId, long head, IReadOnlyCollection<Guid> recipients, IReadOnlyCollection<Guid> own, bool isLarge = false)
    {
        lock (_lock)
        {
            if (_frontEnds.Count == 0) return;
            var isLate = recipients.Count > FewRecipients;
            if (own.Count > 0 || !isLate) Add(isLate: false, conversationId, head, isLate ? [] : recipients, own, isLarge);
            if (isLate) Add(isLate: true, conversationId, head, recipients, [], isLarge);
        }
    }

    private void Add(bool isLate, Guid id, long head, IReadOnlyCollection<Guid> recipients, IReadOnlyCollection<Guid> own, bool isLarge)
    {
        var changes = isLate ? _later : _soon;
        if (changes.Count == 0) _ = FlushAsync(isLate);
        Merge(changes, id, head, recipients, own, isLarge);
    }

    private static void Merge(Dictionary<Guid, Change> changes, Guid id, long head, IEnumerable<Guid> recipients, IEnumerable<Guid> own, bool isLarge)
    {
        if (!changes.TryGetValue(id, out var change)) changes.Add(id, change = new());
        change.Head = Math.Max(change.Head, head);
        change.Recipients.UnionWith(recipients);
        change.Own.UnionWith(own);
        change.IsLarge |= isLarge;
    }

    private async Task FlushAsync(bool isLate)
    {
        await Task.Delay(isLate ? s_longGathering : s_gathering, time).ConfigureAwait(false);
        lock (_lock)
        {
            var changes = isLate ? _later : _soon;
            if (isLate) _later = [];
            else _soon = [];
            foreach (var frontEnd in _frontEnds.Values.ToArray())
            {
                if (time.GetElapsedTime(frontEnd.RenewedAt) > s_lifetime)
                {
                    _frontEnds.Remove(frontEnd.Observer);
                    continue;
                }

                foreach (var (id, change) in changes) Merge(frontEnd.Waiting, id, change.Head, change.Recipients, change.Own, change.IsLarge);
                if (!frontEnd.IsSending && !frontEnd.IsSilent) _ = SendAsync(frontEnd);
            }
        }
    }

    private async Task SendAsync(FrontEnd frontEnd)
    {
        frontEnd.IsSending = true;
        await Task.Yield();
        while (true)
        {
            InboxHint[] hints;
            lock (_lock)
            {
                if (frontEnd.Waiting.Count == 0)
                {
                    frontEnd.IsSending = false;
                    return;
                }

                hints = [.. frontEnd.Waiting.Select(entry => new InboxHint
                {
                    ConversationId = entry.Key, Head = entry.Value.Head, Recipients = [.. entry.Value.Recipients], Own = [.. entry.Value.Own], IsLarge = entry.Value.IsLarge,
                })];
                frontEnd.Waiting.Clear();
            }

            try
            {
                await frontEnd.Observer.TakeAsync(hints).WaitAsync(s_callTimeout, time).ConfigureAwait(false);
            }
            catch (Exception)
            {
                // A front end that lives registers again within seconds, and gets then what it may have missed.
                lock (_lock)
                {
                    foreach (var hint in hints) Merge(frontEnd.Waiting, hint.ConversationId, hint.Head, hint.Recipients, hint.Own, hint.IsLarge);
                    (frontEnd.IsSending, frontEnd.IsSilent) = (false, true);
                }

                return;
            }
        }
    }

    private sealed class FrontEnd(IInboxObserver observer)
    {
        public IInboxObserver Observer => observer;

        public long RenewedAt { get; set; }

        public bool IsSending { get; set; }

        /// <summary>Its last call had no answer, so it gets the next one when it registers.</summary>
        public bool IsSilent { get; set; }

        public Dictionary<Guid, Change> Waiting { get; } = [];
    }

    private sealed class Change
    {
        public long Head { get; set; }

        public HashSet<Guid> Recipients { get; } = [];

        public HashSet<Guid> Own { get; } = [];

        public bool IsLarge { get; set; }
    }
}
