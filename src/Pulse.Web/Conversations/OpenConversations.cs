using System.Collections.Concurrent;
using Pulse.Conversations;
using Pulse.Web.Http;
using Pulse.Web.Silos;

namespace Pulse.Web.Conversations;

/// <summary>The conversations that sockets of this front end have open. Each is subscribed to once, however many sockets have it open.</summary>
internal sealed partial class OpenConversations(
    GrainReferences<IConversationGrain> conversations, IGrainFactory grains, ChatSocketMetrics metrics, TimeProvider time, ILogger<OpenConversations> logger)
{
    private const int MaxEntries = 500;

    // Several, so that the runs of many conversations do not wait for one another.
    private const int Observers = 8;

    private static readonly TimeSpan s_healDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<Guid, OpenConversation> _open = new();

    // Orleans itself holds observers weakly. Made when first needed, because the client must have started.
    private readonly Lazy<(Observer Target, IConversationObserver Reference)>[] _observers = new Lazy<(Observer, IConversationObserver)>[Observers];

    private IConversationReaderGrain Reader => grains.GetGrain<IConversationReaderGrain>(0);

    /// <summary>Conversations that are open here.</summary>
    public ICollection<OpenConversation> All => _open.Values;

    /// <summary>Opens a conversation for a socket: the answer holds what the client lacks, and what follows is written to the socket.</summary>
    /// <exception cref="ChatRefusedException">The user is no member, or has too many conversations open.</exception>
    public async Task<OpenResponse> OpenAsync(ChatSocket socket, Guid id, long afterSeq)
    {
        CheckCount(socket, id);
        var started = time.GetTimestamp();
        var (conversation, opening) = Begin(socket, id);
        try
        {
            ConversationMembership member;
            OpenConversation.Joined joined;
            do (member, joined) = await JoinAsync(conversation, opening, afterSeq, started);
            while (joined.IsOutdated);

            if (joined.IsGone) throw new ChatRefusedException(ProblemTypes.ConversationNotFound);
            socket.NoteMember(id);
            lock (socket.OpenLock) socket.Open[id] = conversation;
            if (socket.IsClosed) Close(socket, id);
            if (!conversation.IsOpenFor(socket))
            {
                // The user was removed, or the socket was closed, before the conversation stood in its list.
                lock (socket.OpenLock) socket.Open.Remove(id);
                throw new ChatRefusedException(ProblemTypes.ConversationNotFound);
            }

            return new(
                member.From, joined.Head, Array.ConvertAll(joined.Entries, entry => new EntryResponse(entry)), joined.TooFar,
                afterSeq > member.Head, member.Typing, member.Markers, new(member.Role, member.From, member.Read));
        }
        finally
        {
            if (conversation.End(opening)) Forget(conversation);
        }
    }

    /// <summary>Closes a conversation for a socket.</summary>
    /// <returns>Whether the socket misses entries that had been on their way to it.</returns>
    public bool Close(ChatSocket socket, Guid id)
    {
        OpenConversation? conversation;
        lock (socket.OpenLock) socket.Open.Remove(id, out conversation);
        var isBehind = false;
        if (conversation is not null && conversation.Leave(socket, out isBehind)) Forget(conversation);
        return isBehind;
    }

    /// <summary>Closes all conversations of a socket that is gone.</summary>
    public void CloseAll(ChatSocket socket)
    {
        socket.Close();
        foreach (var id in socket.OpenIds()) Close(socket, id);
    }

    /// <summary>Subscribes anew to a conversation whose head is known to be higher than here.</summary>
    public void Heal(Guid id, long head)
    {
        if (!_open.TryGetValue(id, out var conversation)) return;
        conversation.NoteHead(head);
        if (conversation.Head >= 0 && head > conversation.Head) _ = HealAsync(conversation, head);
    }

    /// <summary>Renews a subscription, and takes what is missing.</summary>
    public async Task RenewAsync(OpenConversation conversation)
    {
        try
        {
            var run = await conversations[conversation.Id].SubscribeAsync(ObserverOf(conversation.Id), Math.Max(0, conversation.Head)).WaitAsync(s_timeout, time);
            if (run.Error == ConversationError.None) conversation.Take(run);
        }
        catch (Exception e)
        {
            // The next renewal asks again.
            LogRenewalFailed(e.GetType().Name);
        }
    }

    /// <summary>Asks the grain whether the user is a member, and opens the conversation for the user's socket if it is.</summary>
    private async Task<(ConversationMembership Member, OpenConversation.Joined Joined)> JoinAsync(
        OpenConversation conversation, OpenConversation.Opening opening, long afterSeq, long started)
    {
        // Until the grain has answered once, what the client has is the best guess at what to ask for.
        var (id, userId) = (conversation.Id, opening.Socket.UserId);
        var known = conversation.Head < 0 ? Math.Max(0, afterSeq) : conversation.Head;
        var opened = await conversations[id].OpenAsync(ObserverOf(id), known, userId).WaitAsync(Remaining(started), time);
        ChatProblems.ThrowIfRefused(opened.Member.Error, id);

        // A grain that waits for the outcome of an append is behind the database, from which the client may have read the entry.
        if (afterSeq > opened.Member.Head && (await Reader.FindAsync(userId, id).WaitAsync(Remaining(started), time)).Found?.Head >= afterSeq)
            ChatProblems.ThrowIfRefused(ConversationError.Unavailable, id);
        if (!conversation.Take(opened.Run!)) await RenewAsync(conversation).WaitAsync(Remaining(started), time);

        var member = opened.Member;
        var after = afterSeq > member.Head ? member.Head : Math.Max(afterSeq, member.From - 1);
        if (!conversation.TryJoin(opening, after, read: null, member.Head, MaxEntries, out var joined))
        {
            var page = await Reader.ReadEntriesAsync(userId, id, after, MaxEntries).WaitAsync(Remaining(started), time);
            ChatProblems.ThrowIfRefused(page.Error, id);
            conversation.TryJoin(opening, after, page.Entries, member.Head, MaxEntries, out joined);
        }

        return (member, joined);
    }

    // The run itself is usually on its way.
    private async Task HealAsync(OpenConversation conversation, long head)
    {
        await Task.Delay(s_healDelay, time);
        if (head <= conversation.Head || conversation.IsRemoved) return;
        metrics.Healed();
        await RenewAsync(conversation);
    }

    // The socket's next calls wait for this one.
    private TimeSpan Remaining(long started) => ConversationCalls.Timeout - time.GetElapsedTime(started) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    private static void CheckCount(ChatSocket socket, Guid id)
    {
        lock (socket.OpenLock)
        {
            if (socket.Open.Count < ChatSocket.MaxOpen || socket.Open.ContainsKey(id)) return;
        }

        throw new ChatRefusedException(ProblemTypes.TooManyOpen, $"A connection has at most {ChatSocket.MaxOpen} conversations open. Close one first.");
    }

    private (OpenConversation Conversation, OpenConversation.Opening Opening) Begin(ChatSocket socket, Guid id)
    {
        while (true)
        {
            var conversation = _open.GetOrAdd(id, static (key, owner) => new(key, owner.metrics, owner.time), (metrics, time));
            if (conversation.Begin(socket) is { } opening) return (conversation, opening);
            _open.TryRemove(new(id, conversation));
        }
    }

    private void Forget(OpenConversation conversation)
    {
        if (_open.TryRemove(new(conversation.Id, conversation))) _ = UnsubscribeAsync(conversation.Id);
    }

    private async Task UnsubscribeAsync(Guid id)
    {
        try
        {
            // A socket that opens the conversation meanwhile subscribes again, and may come first: then its next renewal does.
            await conversations[id].UnsubscribeAsync(ObserverOf(id));
            if (_open.TryGetValue(id, out var again)) await RenewAsync(again);
        }
        catch (Exception e)
        {
            // The subscription ends by itself.
            LogRenewalFailed(e.GetType().Name);
        }
    }

    private IConversationObserver ObserverOf(Guid id)
    {
        var index = (uint)id.GetHashCode() % Observers;
        var observer = _observers[index];
        if (observer is null)
        {
            var made = new Lazy<(Observer, IConversationObserver)>(() =>
            {
                var target = new Observer(this);
                return (target, grains.CreateObjectReference<IConversationObserver>(target));
            });
            observer = Interlocked.CompareExchange(ref _observers[index], made, null) ?? made;
        }

        return observer.Value.Reference;
    }

    private void Take(ConversationRun run)
    {
        if (!_open.TryGetValue(run.ConversationId, out var conversation) || conversation.Take(run, isPublished: true)) return;
        metrics.Healed();
        _ = RenewAsync(conversation);
    }

    [LoggerMessage(2180, LogLevel.Debug, "A conversation's grain did not answer ({Reason}); it is asked again.")]
    private partial void LogRenewalFailed(string reason);

    private sealed class Observer(OpenConversations owner) : IConversationObserver
    {
        public Task TakeAsync(ConversationRun run)
        {
            owner.Take(run);
            return Task.CompletedTask;
        }
    }
}
