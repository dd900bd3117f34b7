using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.Logging.Abstractions;
using Pulse.Conversations;
using Pulse.Web.Conversations;
using Pulse.Web.Http;

namespace Pulse.Web.Tests.Conversations.Scripts;

/// <summary>A client with one conversation: its socket at a front end, and the log that it keeps over all its sockets.</summary>
internal sealed class ScriptDevice(
    ScriptCluster cluster, Guid conversationId, Guid userId, int number, Ledger ledger, Action<Func<Task>> start)
{
    private const int PageSize = 500;
    private const int Tries = 4;

    private readonly Lock _lock = new();
    private readonly Dictionary<long, TrueMessage> _messages = [];

    // The calls of one socket follow one another.
    private readonly SemaphoreSlim _turn = new(1);
    private ScriptFrontEnd _frontEnd = null!;
    private Wire _wire = null!;
    private ChatSocket _socket = null!;
    private TaskCompletionSource? _paused;

    // Runs that arrive before the answer of an open are kept.
    private List<EntriesAddedMessage>? _early;
    private bool _isEnded;

    public Guid UserId => userId;

    /// <summary>The conversation is open: the server writes what follows.</summary>
    public bool IsOpen { get; private set; }

    /// <summary>The user wants the conversation to be open.</summary>
    public bool IsWanted { get; private set; }

    /// <summary>The first and the last seq of the log that the client keeps.</summary>
    public (long First, long Last) Range { get; private set; } = (1, 0);

    /// <summary>The messages of that log.</summary>
    public IReadOnlyDictionary<long, TrueMessage> Messages => _messages;

    public override string ToString() => $"device {number}";

    public bool IsAt(ScriptFrontEnd frontEnd) => _frontEnd == frontEnd;

    /// <summary>Connects, to the front end of this device's number, and has nothing open.</summary>
    public void Connect()
    {
        var frontEnd = cluster.FrontEnds[number % cluster.FrontEnds.Length];
        lock (_lock)
        {
            (_frontEnd, _wire, _early, IsOpen) = (frontEnd, new(this), null, false);
            _socket = new(_wire, userId, static () => false, (id, due) => frontEnd.Inbox.SendAgain(userId, id, due));
        }

        frontEnd.Sockets.Add(_socket);
        _socket.Begin();
    }

    public void Disconnect()
    {
        ResumeReading();
        _frontEnd.Sockets.Remove(_socket);
        _frontEnd.Conversations.CloseAll(_socket);
    }

    public void PauseReading() => _paused ??= new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void ResumeReading() => Interlocked.Exchange(ref _paused, null)?.SetResult();

    /// <summary>Opens the conversation from the entry on that the client has.</summary>
    public async Task OpenAsync()
    {
        await _turn.WaitAsync();
        try
        {
            IsWanted = true;
            for (var i = 0; i < Tries && !await TryOpenAsync(); i++) await Task.Delay(TimeSpan.FromMilliseconds(50), cluster.Clock);
        }
        finally
        {
            _turn.Release();
        }
    }

    public async Task CloseAsync()
    {
        await _turn.WaitAsync();
        try
        {
            lock (_lock) (IsOpen, IsWanted) = (false, false);
            _frontEnd.Conversations.Close(_socket, conversationId);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Reads from the database what the client lacks.</summary>
    public async Task FetchAsync()
    {
        await _turn.WaitAsync();
        try
        {
            await TryFetchAsync();
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <returns>Whether the outcome is final: the conversation is open, or refused.</returns>
    private async Task<bool> TryOpenAsync()
    {
        Wire wire;
        ChatSocket socket;
        OpenConversations conversations;
        long after;
        lock (_lock)
        {
            (wire, socket, conversations, after) = (_wire, _socket, _frontEnd.Conversations, Range.Last);
            (_early, _isEnded) = ([], false);
        }

        OpenResponse? answer = null;
        var isRefused = false;
        try
        {
            answer = await conversations.OpenAsync(socket, conversationId, after);
        }
        catch (ChatRefusedException refused)
        {
            isRefused = refused.Problem.Status < 500;
        }
        catch (Exception e) when (TransientErrors.IsTransient(e))
        {
            // Nothing is known.
        }

        var isFetched = answer is not { TooFar: true } || await TryFetchAsync();
        lock (_lock)
        {
            if (wire != _wire) return true;
            if (isRefused) IsOpen = false;

            if (answer is not null) TakeAnswer(answer, after);
            if (answer is not null) IsOpen = isFetched && !_isEnded;
            var early = _early!;
            _early = null;
            foreach (var run in early) Take(run);
            return isRefused || IsOpen;
        }
    }

    private void TakeAnswer(OpenResponse answer, long after)
    {
        ledger.SawHead($"{this}, open", userId, answer.Head);
        if (answer.TooFar) return;
        ConversationEntry[] entries = Array.ConvertAll(answer.Entries, entry => entry.Entry);
        var last = TakePage(after, answer.From, entries);
        if (last < answer.Head) ledger.Fault($"{this} opened after {after}, head {answer.Head}, and was given no more than {last}");
    }

    private async Task<bool> TryFetchAsync()
    {
        try
        {
            while (true)
            {
                var after = Range.Last;
                var read = cluster.Reader.ReadEntriesAsync(userId, conversationId, after, PageSize);
                var page = await read.WaitAsync(ConversationCalls.Timeout, cluster.Clock);
                if (page.Error != ConversationError.None) return false;
                ledger.SawHead($"{this}, page", userId, page.Head);
                long last;
                lock (_lock) last = TakePage(after, page.From, page.Entries);
                if (last >= page.Head) return true;
                if (page.Entries.Length == 0) ledger.Fault($"{this} was given an empty page after {after}, head {page.Head}");
                if (page.Entries.Length == 0) return false;
            }
        }
        catch (Exception e) when (TransientErrors.IsTransient(e))
        {
            return false;
        }
    }

    private async Task ReadAsync(Wire wire, InvocationMessage message)
    {
        if (_paused is { } paused) await paused.Task;
        lock (_lock)
        {
            if (wire != _wire) return;
            switch (message.Arguments[0])
            {
                case EntriesAddedMessage run when _early is not null:
                    _early.Add(run);
                    break;
                case EntriesAddedMessage run:
                    Take(run);
                    break;
                case ConversationGoneMessage:
                    (IsOpen, _isEnded) = (false, true);
                    break;
                case BehindMessage:
                    (IsOpen, _isEnded) = (false, true);
                    start(OpenAsync);
                    break;
                case InboxChangedMessage inbox:
                    foreach (var item in inbox.Conversations) Take(item);
                    break;
            }
        }
    }

    private void Take(ConversationResponse item)
    {
        ledger.SawHead($"{this}, hint", userId, item.Head);
        var unread = new UnreadCount(item.You.Unread!.Value, item.You.UnreadMore, item.You.Mentions!.Value);
        ledger.Counts.Enqueue(($"{this}, hint", userId, item.You.Read, item.Head, item.Head, unread));
    }

    private void Take(EntriesAddedMessage run)
    {
        if (run.From > Range.Last + 1)
        {
            // A run may still arrive for a conversation that the client has closed.
            if (IsOpen) ledger.Fault($"{this} was sent {run.From} after {Range.Last}");
            return;
        }

        var seq = run.From;
        foreach (var entry in run.Entries)
        {
            if (entry.Entry.Seq != seq) ledger.Fault($"{this} was sent a run from {run.From} with {entry.Entry.Seq} at the place of {seq}");
            Apply(entry.Entry);
            seq++;
        }
    }

    /// <returns>The last seq of the page.</returns>
    private long TakePage(long after, long from, ConversationEntry[] entries)
    {
        // A member who returns begins anew.
        if (from > Range.Last + 1)
        {
            _messages.Clear();
            Range = (from, from - 1);
        }

        var last = Math.Max(after, from - 1);
        foreach (var entry in entries)
        {
            last++;
            if (entry.Seq != last) ledger.Fault($"{this} asked for what follows {after}, and was given {entry.Seq} instead of {last}");
            Apply(entry);
        }

        return last;
    }

    private void Apply(ConversationEntry entry)
    {
        ledger.Saw(ToString(), userId, entry);
        if (entry.Seq != Range.Last + 1) return;
        Range = Range with { Last = entry.Seq };
        if (entry.Kind == EntryKinds.Message) _messages[entry.Seq] = new(entry.Body, entry.EditedSeq, entry.DeletedSeq);
        if (entry.Target is not { } seq || !_messages.TryGetValue(seq, out var target)) return;

        // From the database a message may have come with a later edit than this one.
        var isNewest = entry.Kind == EntryKinds.Edit && !(entry.Seq < target.EditedSeq);
        if (isNewest) _messages[seq] = target with { Text = target.DeletedSeq is null ? entry.Body : null, EditedSeq = entry.Seq };
        if (entry.Kind == EntryKinds.Delete) _messages[seq] = target with { Text = null, DeletedSeq = entry.Seq };
    }

    /// <summary>The server's side of a socket, which writes nothing to a network.</summary>
    private sealed class Wire(ScriptDevice device)
        : HubConnectionContext(new DefaultConnectionContext(), new HubConnectionContextOptions(), NullLoggerFactory.Instance)
    {
        public override async ValueTask WriteAsync(SerializedHubMessage message, CancellationToken cancellationToken = default) =>
            await device.ReadAsync(this, (InvocationMessage)message.Message!);
    }
}
