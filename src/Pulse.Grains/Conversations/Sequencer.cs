using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Pulse.Conversations;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Conversations;

/// <summary>Turns the commands of one conversation into entries of its log: assigns seqs, appends runs, finds out what became of them.</summary>
/// <remarks>
/// Runs on one scheduler, that of its grain. At most one run is under way. A command leaves the queue at its deadline with the answer that it is not
/// stored; once it was handed to the database, with the answer that its outcome is unknown. No entry is published before it is committed.
/// </remarks>
/// <param name="id">The conversation.</param>
/// <param name="store">Reads what the rules need.</param>
/// <param name="writer">Appends and claims, joined with those of other conversations.</param>
/// <param name="metrics">Counts entries, repetitions and claims.</param>
/// <param name="options">Limits.</param>
/// <param name="time">The clock.</param>
/// <param name="published">Called with each committed entry, in the order of the log.</param>
/// <param name="lost">Called when another activation has taken over; not after <see cref="Stop"/>. Must not throw.</param>
/// <param name="logger">For what is unexpected.</param>
internal sealed partial class Sequencer(
    Guid id, IConversationStore store, ConversationWriter writer, ChatMetrics metrics, ChatOptions options, TimeProvider time, Action<NewEntry> published, Action lost, ILogger logger)
{
    /// <summary>The longest time from a command's arrival to its answer.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1.6);

    private const int MaxRun = 128;
    private const int MaxRunText = 256 * 1024;
    private const int BusyRetries = 3;

    private static readonly TimeSpan s_busyPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_claimPause = TimeSpan.FromMilliseconds(500);

    private readonly CommandRules _rules = new(options);
    private readonly LinkedList<Pending> _queue = [];
    private readonly Dictionary<(Guid Sender, Guid ClientId), Pending> _messages = [];
    private readonly Dictionary<Guid, SendBudget> _budgets = [];
    private Task<bool>? _loading;
    private bool _isRunning;

    /// <summary>What is known of the conversation; <see langword="null"/> before the first claim, and when there is no such conversation.</summary>
    public ConversationState? State { get; private set; }

    /// <summary>Whether another activation has taken over. Nothing is appended any more.</summary>
    public bool IsLost { get; private set; }

    /// <summary>Claims the conversation once.</summary>
    /// <returns><see langword="false"/> if the conversation is missing.</returns>
    /// <exception cref="StoreUnavailableException">The database did not answer.</exception>
    public async Task<bool> EnsureClaimedAsync()
    {
        if (State is not null) return true;
        var loading = _loading ??= ClaimFirstAsync();
        try
        {
            return await loading;
        }
        finally
        {
            if (_loading == loading) _loading = null;
        }
    }

    /// <summary>Why a user without membership is refused; <see cref="ConversationError.None"/> for a member.</summary>
    /// <remarks>
    /// Each call of a stranger costs one read and claims nothing, whatever the state of the conversation. Otherwise the time of the answer
    /// would show strangers which two users have a direct conversation, because its id follows from theirs.
    /// </remarks>
    /// <exception cref="StoreUnavailableException">The database did not answer.</exception>
    public Task<ConversationError> FindRefusalAsync(Guid userId) =>
        State?.Members.ContainsKey(userId) == true ? Task.FromResult(ConversationError.None) : store.FindRefusalAsync(id, userId);

    /// <summary>Whether the first claim is under way.</summary>
    public bool IsLoading => _loading is not null;

    /// <summary>Ends it: commands that wait are refused, and nothing is claimed or appended any more.</summary>
    public void Stop()
    {
        IsLost = true;
        foreach (var pending in _queue.ToArray()) Finish(pending, ConversationAnswer.Refuse(ConversationError.Unavailable));
    }

    /// <summary>Appends the entry that the command asks for. Returns after the commit, or at the deadline.</summary>
    public async Task<ConversationAnswer> ApplyAsync(ConversationCommand command)
    {
        var arrivedAt = time.GetTimestamp();
        try
        {
            var isMember = State?.Members.ContainsKey(command.SenderId) == true;
            if (!isMember && await EnterAsync(command).WaitAsync(Deadline, time) is var error and not ConversationError.None)
                return ConversationAnswer.Refuse(error);
        }
        catch (Exception e) when (e is StoreUnavailableException or TimeoutException)
        {
            return ConversationAnswer.Refuse(ConversationError.Unavailable);
        }

        if (IsLost) return ConversationAnswer.Refuse(ConversationError.Unavailable);
        if (FindRepeat(command) is { } repeat) return Count(await repeat);
        if (await FindFloodAsync(command) is { } refusal) return refusal;

        // The wait for the database may have let another repetition in.
        if (FindRepeat(command) is { } later) return Count(await later);
        var pending = new Pending(command, arrivedAt);
        pending.Node = _queue.AddLast(pending);
        if (command.ClientId is { } clientId) _messages[(command.SenderId, clientId)] = pending;
        Run();
        var answer = await AnswerAsync(pending, arrivedAt);
        if (answer.IsRepeat && command.ClientId is not null && _budgets.TryGetValue(command.SenderId, out var budget)) budget.Return();
        return Count(answer);
    }

    /// <summary>Compares epoch and head with the database; a difference means that another activation has taken over.</summary>
    public async Task CheckAsync()
    {
        if (State is not { } state || _isRunning || IsLost) return;
        var (epoch, head) = (state.Epoch, state.Head);
        var found = await writer.FindHeadAsync(id);
        if (_isRunning || state.Epoch != epoch || state.Head != head) return; // Something was appended meanwhile, which is a better check.
        if (found is null || found.Epoch != epoch || found.Head != head) Lose();
    }

    /// <summary>Claims the conversation for a user whom the rules may allow the command.</summary>
    private async Task<ConversationError> EnterAsync(ConversationCommand command)
    {
        // An erased user may have left the conversation, and a channel can be joined.
        if (command.Kind != EntryKinds.SenderErased)
        {
            var refusal = await FindRefusalAsync(command.SenderId);
            var isJoin = refusal == ConversationError.NotAMember && CommandRules.IsJoin(command);
            if (refusal != ConversationError.None && !isJoin) return refusal;
        }

        return State is not null || await EnsureClaimedAsync() ? ConversationError.None : ConversationError.NotFound;
    }

    private ConversationAnswer Count(ConversationAnswer answer)
    {
        if (answer.IsRepeat) metrics.Repeat();
        return answer;
    }

    private Task<ConversationAnswer>? FindRepeat(ConversationCommand command)
    {
        if (command.ClientId is not { } clientId) return null;
        if (_messages.TryGetValue((command.SenderId, clientId), out var pending))
        {
            return IsSame(pending.Command, command)
                ? AnswerAsRepeatAsync(pending, time.GetTimestamp())
                : Task.FromResult(ConversationAnswer.Refuse(ConversationError.ClientIdReused));
        }

        // A removed user is refused, as for a new message.
        if (State!.Members.ContainsKey(command.SenderId) && State.Recent.Find(command.SenderId, clientId) is { } stored)
            return Task.FromResult(CommandRules.Repeat(stored, command));
        return null;

        static bool IsSame(ConversationCommand one, ConversationCommand other) =>
            one.Text == other.Text && one.ReplyTo == other.ReplyTo && one.Mentions.ToHashSet().SetEquals(other.Mentions);
    }

    private async Task<ConversationAnswer> AnswerAsRepeatAsync(Pending pending, long arrivedAt)
    {
        var answer = await AnswerAsync(pending, arrivedAt);
        return answer.Error == ConversationError.None ? answer with { IsRepeat = true } : answer;
    }

    /// <summary>Counts a send. Repeating a stored message costs nothing.</summary>
    private async Task<ConversationAnswer?> FindFloodAsync(ConversationCommand command)
    {
        // Strangers get the same answer however often they ask. Otherwise a refusal for too many calls would show that the conversation exists.
        if (!IsAboutAMessage(command) || !State!.Members.ContainsKey(command.SenderId)) return null;
        if (_budgets.Count > 1_000) foreach (var idle in _budgets.Where(entry => entry.Value.IsFull(options, time)).Select(entry => entry.Key).ToArray()) _budgets.Remove(idle);
        if (!_budgets.TryGetValue(command.SenderId, out var budget)) _budgets.Add(command.SenderId, budget = new(options.SendsAtOnce, time.GetTimestamp()));
        if (budget.TrySpend(options, time, out var retryAfter)) return null;
        if (command.ClientId is { } clientId)
        {
            try
            {
                if (await store.FindByClientIdsAsync(id, [(command.SenderId, clientId)]) is [var stored]) return CommandRules.Repeat(stored.Entry, command);
            }
            catch (StoreUnavailableException)
            {
                return ConversationAnswer.Refuse(ConversationError.Unavailable);
            }
        }

        return new() { Error = ConversationError.TooManyMessages, RetryAfter = retryAfter };
    }

    private async Task<ConversationAnswer> AnswerAsync(Pending pending, long arrivedAt)
    {
        try
        {
            var remaining = Deadline - time.GetElapsedTime(arrivedAt);
            return await pending.Answer.Task.WaitAsync(remaining > TimeSpan.Zero ? remaining : TimeSpan.Zero, time);
        }
        catch (TimeoutException)
        {
            if (pending.IsHandedOver) return ConversationAnswer.Refuse(ConversationError.UnknownOutcome);
            Finish(pending, ConversationAnswer.Refuse(ConversationError.Unavailable));
            return await pending.Answer.Task;
        }
    }

    // Other commands change members or rules.
    private static bool IsAboutAMessage(ConversationCommand command) =>
        command.Kind is EntryKinds.Message or EntryKinds.Edit or EntryKinds.Delete or EntryKinds.Reaction;

    private async void Run()
    {
        if (_isRunning) return;
        _isRunning = true;
        try
        {
            while (!IsLost && TakeBatch() is { Count: > 0 } batch) await AppendAsync(batch);
        }
        catch (Exception e)
        {
            LogFault(e);
            Lose();
        }
        finally
        {
            _isRunning = false;
        }
    }

    /// <summary>The commands whose entries can stand in one run: only the last one may change members and rules, and each message is changed at most once.</summary>
    private List<Pending> TakeBatch()
    {
        var batch = new List<Pending>();
        var targets = new HashSet<long>();
        var text = 0;
        for (var node = _queue.First; node is not null && batch.Count < MaxRun && text < MaxRunText; node = _queue.First)
        {
            var pending = node.Value;
            if (pending.Command.Target is { } target && !targets.Add(target)) break;
            _queue.RemoveFirst();
            pending.Node = null;
            batch.Add(pending);
            text += pending.Command.Text?.Length ?? 0;
            if (!IsAboutAMessage(pending.Command)) break;
        }

        return batch;
    }

    private async Task AppendAsync(List<Pending> batch)
    {
        var state = State!;
        var (drafts, entries) = await DecideAsync(state, batch);
        using var activity = StartActivity(drafts);
        for (var busy = 0; drafts.Count > 0;)
        {
            AppendOutcome? outcome = null;
            var isRefused = false;
            var startedAt = time.GetTimestamp();
            try
            {
                outcome = await writer.AppendAsync(new(id, state.Epoch, state.Head, [.. entries]));
            }
            catch (StoreUnavailableException)
            {
                // The outcome is unknown: the claim decides.
            }
            catch (Exception e)
            {
                isRefused = true;
                LogRefused(e);
            }

            switch (outcome)
            {
                case AppendOutcome.Stored:
                    metrics.Committed(entries.Count, time.GetElapsedTime(startedAt));
                    Commit(state, drafts, entries);
                    return;
                case AppendOutcome.Known:
                    Requeue(await AnswerKnownAsync(drafts));
                    return;
                case AppendOutcome.Busy when busy++ < BusyRetries:
                    await Task.Delay(s_busyPause, time);
                    continue;
                default:
                    if (outcome == AppendOutcome.Fenced) metrics.Fenced();
                    await ReclaimAsync(state, drafts, entries, isRefused);
                    return;
            }
        }
    }

    // A run belongs to the trace of its first send.
    private static Activity? StartActivity(List<Pending> drafts) => !ChatTracing.Source.HasListeners() || drafts.Count == 0 ? null : ChatTracing.Source.StartActivity(
        ChatTracing.Append, ActivityKind.Internal, drafts[0].Trace, links: drafts.Skip(1).Select(pending => new ActivityLink(pending.Trace)));

    /// <summary>Decides about each command by the state after those before it. Commands that get no entry are answered.</summary>
    private async Task<(List<Pending> Drafts, List<NewEntry> Entries)> DecideAsync(ConversationState state, List<Pending> batch)
    {
        var now = Instant.Truncate(time.GetUtcNow());
        if (now < state.LastSentAt) now = state.LastSentAt;
        var (drafts, entries) = (new List<Pending>(batch.Count), new List<NewEntry>(batch.Count));
        IReadOnlyDictionary<Pending, CommandRules.Context> contexts;
        try
        {
            contexts = await ReadContextsAsync(state, batch);
        }
        catch (StoreUnavailableException)
        {
            foreach (var pending in batch) Finish(pending, ConversationAnswer.Refuse(ConversationError.Unavailable));
            return (drafts, entries);
        }

        foreach (var pending in batch)
        {
            if (pending.Answer.Task.IsCompleted) continue; // Its deadline has passed.
            var command = pending.Command;
            var context = contexts.GetValueOrDefault(pending) ?? new();
            if (command.After is { } after && entries.Any(item => item.Entry.ClientId == after && item.Entry.SenderId == command.SenderId))
                context = context with { IsPredecessorThere = true };
            var (entry, answer) = _rules.Decide(state, command, context, now);
            if (answer is not null)
            {
                Finish(pending, await AnswerRefusedAsync(state, command, answer));
                continue;
            }

            var seq = state.Head + entries.Count + 1;
            entries.Add(entry! with
            {
                Entry = entry.Entry with { Seq = seq, SenderId = command.SenderId, SentAt = now },
                VisibleFrom = entry.VisibleFrom == 0 ? seq : entry.VisibleFrom,
            });
            drafts.Add(pending);

            // From here on the message may be stored, and the loop may wait for the database before the run is appended.
            pending.IsHandedOver = true;
        }

        return (drafts, entries);
    }

    /// <summary>A message that is refused now may be stored already, from a time when it was allowed: then the first answer counts.</summary>
    private async Task<ConversationAnswer> AnswerRefusedAsync(ConversationState state, ConversationCommand command, ConversationAnswer answer)
    {
        if (answer.Error == ConversationError.None || command.ClientId is not { } clientId || !state.Members.ContainsKey(command.SenderId)) return answer;
        try
        {
            return await store.FindByClientIdsAsync(id, [(command.SenderId, clientId)]) is [var stored] ? CommandRules.Repeat(stored.Entry, command) : answer;
        }
        catch (StoreUnavailableException)
        {
            return ConversationAnswer.Refuse(ConversationError.Unavailable);
        }
    }

    private async Task<IReadOnlyDictionary<Pending, CommandRules.Context>> ReadContextsAsync(ConversationState state, List<Pending> batch)
    {
        var contexts = new Dictionary<Pending, CommandRules.Context>();
        long[] seqs = [.. batch.SelectMany(pending => new[] { pending.Command.Target, pending.Command.ReplyTo }).OfType<long>().Distinct()];
        var entries = seqs.Length == 0 ? null : (await store.FindEntriesAsync(id, seqs)).ToDictionary(stored => stored.Entry.Seq);
        foreach (var pending in batch)
        {
            var command = pending.Command;
            var context = new CommandRules.Context(
                Target: command.Target is { } target ? entries!.GetValueOrDefault(target) : null,
                ReplyTo: command.ReplyTo is { } reply ? entries!.GetValueOrDefault(reply)?.Entry : null);
            if (command.After is { } after)
            {
                context = context with
                {
                    IsPredecessorThere = state.Recent.Find(command.SenderId, after) is not null
                        || (await store.FindByClientIdsAsync(id, [(command.SenderId, after)])).Count > 0,
                };
            }

            if (command.Kind == EntryKinds.SenderErased)
                context = context with { Former = await store.FindMembersAsync(id, [command.SenderId]) is [var erased] ? erased : null };
            if (command.Kind == EntryKinds.Closed && state is { ClosedAt: not null, ClosedSeq: null }) state.ClosedSeq = await store.FindClosedAsync(id);
            var isBar = command.Kind == EntryKinds.MemberRemoved && state.Kind == ConversationKinds.Channel;
            if ((isBar || command.Kind == EntryKinds.MemberAdded) && !state.Members.ContainsKey(command.UserId!.Value))
                context = context with { Former = await store.FindMembersAsync(id, [command.UserId.Value]) is [var former] ? former : null };
            if (command.Kind == EntryKinds.Reaction)
            {
                var isThere = context.Target?.Reactions.Any(reaction => reaction.UserId == command.SenderId && reaction.Emoji == command.Text) ?? false;
                if (isThere == command.On)
                {
                    context = context with
                    {
                        ReactionSeq = await store.FindReactionAsync(id, command.SenderId, command.Target!.Value, ConversationBodies.Reaction(command.Text!, command.On)),
                    };
                }
            }

            if (context != new CommandRules.Context()) contexts.Add(pending, context);
        }

        return contexts;
    }

    private void Commit(ConversationState state, List<Pending> drafts, List<NewEntry> entries)
    {
        for (var i = 0; i < drafts.Count; i++)
        {
            state.Apply(entries[i]);
            Finish(drafts[i], new() { Seq = entries[i].Entry.Seq, SentAt = entries[i].Entry.SentAt });
        }

        foreach (var entry in entries) published(entry);
    }

    /// <summary>Answers the messages of a refused run that are in the log already.</summary>
    /// <returns>The others.</returns>
    private async Task<List<Pending>> AnswerKnownAsync(List<Pending> drafts)
    {
        var messages = drafts.Where(pending => pending.Command.ClientId is not null).ToArray();
        try
        {
            var known = (await store.FindByClientIdsAsync(id, Array.ConvertAll(messages, pending => (pending.Command.SenderId, pending.Command.ClientId!.Value))))
                .ToDictionary(stored => (stored.Entry.SenderId, stored.Entry.ClientId));
            foreach (var pending in messages)
            {
                if (known.TryGetValue((pending.Command.SenderId, pending.Command.ClientId), out var stored)) Finish(pending, CommandRules.Repeat(stored.Entry, pending.Command));
            }
        }
        catch (StoreUnavailableException)
        {
            // One of them at least is stored.
            foreach (var pending in drafts) Finish(pending, ConversationAnswer.Refuse(ConversationError.UnknownOutcome));
        }

        // Each round answers at least one command, so the rounds end.
        var rest = drafts.FindAll(pending => !pending.Answer.Task.IsCompleted);
        if (rest.Count < drafts.Count) return rest;
        foreach (var pending in rest) Finish(pending, ConversationAnswer.Refuse(ConversationError.Unavailable));
        return [];
    }

    /// <summary>Finds out what became of a run. After the claim, every statement of before has either committed or is refused.</summary>
    private async Task ReclaimAsync(ConversationState state, List<Pending> drafts, List<NewEntry> entries, bool isRefused)
    {
        while (!IsLost)
        {
            Claimed? claimed;
            try
            {
                metrics.Claim();
                claimed = await writer.ClaimAsync(new(id, state.Epoch));
            }
            catch (StoreUnavailableException)
            {
                await Task.Delay(s_claimPause, time);
                continue;
            }

            // The claim itself may have been repeated below: the epoch is then two higher, and its first answer was lost.
            if (claimed is null)
            {
                Lose(drafts);
                return;
            }

            state.Epoch = claimed.Epoch;
            if (claimed.Head == state.Head + entries.Count && await IsStoredAsync(entries[^1].Entry))
            {
                Commit(state, drafts, entries);
                return;
            }

            if (claimed.Head == state.Head)
            {
                // Not stored. A caller with an answer of an unknown outcome repeats it with the same client id. The database would refuse again
                // what it has refused, at once and without end.
                if (!isRefused) Requeue([.. drafts.Where(pending => time.GetElapsedTime(pending.ArrivedAt) < Deadline)]);
                foreach (var late in drafts.Where(pending => pending.Node is null)) Finish(late, ConversationAnswer.Refuse(ConversationError.Unavailable));
                return;
            }

            Lose(drafts);
            return;
        }

        foreach (var pending in drafts) Finish(pending, ConversationAnswer.Refuse(ConversationError.UnknownOutcome));
    }

    /// <summary>Whether the log has this entry at its seq. The head alone could be that of another activation's run of the same length.</summary>
    private async Task<bool> IsStoredAsync(ConversationEntry entry)
    {
        try
        {
            return await store.FindEntriesAsync(id, [entry.Seq]) is [{ Entry: var stored }]
                && (stored.Kind, stored.SenderId, stored.ClientId, stored.Target) == (entry.Kind, entry.SenderId, entry.ClientId, entry.Target)
                && stored.SentAt == entry.SentAt;
        }
        catch (StoreUnavailableException)
        {
            return false;
        }
    }

    private void Requeue(List<Pending> drafts)
    {
        foreach (var pending in Enumerable.Reverse(drafts))
        {
            pending.IsHandedOver = false;
            pending.Node = _queue.AddFirst(pending);
        }
    }

    private void Lose(List<Pending>? handedOver = null)
    {
        // A run may go on after the end of its activation, which then needs no second one.
        var isFirst = !IsLost;
        IsLost = true;
        foreach (var pending in handedOver ?? []) Finish(pending, ConversationAnswer.Refuse(ConversationError.UnknownOutcome));
        foreach (var pending in _queue.ToArray()) Finish(pending, ConversationAnswer.Refuse(ConversationError.Unavailable));
        if (isFirst) lost();
    }

    private void Finish(Pending pending, ConversationAnswer answer)
    {
        if (pending.Node is { } node)
        {
            _queue.Remove(node);
            pending.Node = null;
        }

        if (pending.Command.ClientId is { } clientId && _messages.GetValueOrDefault((pending.Command.SenderId, clientId)) == pending)
            _messages.Remove((pending.Command.SenderId, clientId));
        pending.Answer.TrySetResult(answer);
    }

    private async Task<bool> ClaimFirstAsync()
    {
        metrics.Claim();
        if (await writer.ClaimAsync(new(id, IfEpoch: -1)) is not { } claimed)
        {
            if (await store.LoadAsync(id) is not null) throw new StoreUnavailableException("another activation claims the conversation");
            return false;
        }

        // No statement of an earlier activation can commit any more, so this is the state that the head belongs to.
        if (await store.LoadAsync(id) is not { } row) return false;
        var state = new ConversationState(claimed, row, options.RecentEntries);
        foreach (var entry in await store.ReadNewestAsync(id, options.RecentEntries)) state.Recent.Add(entry);

        // Last, because commands are taken from now on.
        State = state;
        return true;
    }

    [LoggerMessage(1400, LogLevel.Error, "A conversation's commands could not be handled; its grain is deactivated.")]
    private partial void LogFault(Exception exception);

    [LoggerMessage(1401, LogLevel.Error, "The database refuses entries of a conversation.")]
    private partial void LogRefused(Exception exception);

    /// <summary>A command that waits for its answer.</summary>
    private sealed class Pending
    {
        public Pending(ConversationCommand command, long arrivedAt) => (Command, ArrivedAt) = (command, arrivedAt);

        public ConversationCommand Command { get; }

        public long ArrivedAt { get; }

        public ActivityContext Trace { get; } = Activity.Current?.Context ?? default;

        public LinkedListNode<Pending>? Node { get; set; }

        public bool IsHandedOver { get; set; }

        public TaskCompletionSource<ConversationAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>How much one sender may still send.</summary>
    private sealed class SendBudget(double left, long at)
    {
        public bool IsFull(ChatOptions options, TimeProvider time) => Left(options, time) >= options.SendsAtOnce;

        public bool TrySpend(ChatOptions options, TimeProvider time, out int retryAfter)
        {
            left = Left(options, time);
            at = time.GetTimestamp();
            retryAfter = left >= 1 ? 0 : Math.Max(1, (int)Math.Ceiling((1 - left) / options.SendsPerSecond));
            if (left < 1) return false;
            left--;
            return true;
        }

        /// <summary>Returns what a repetition has spent.</summary>
        public void Return() => left++;

        private double Left(ChatOptions options, TimeProvider time) =>
            Math.Min(options.SendsAtOnce, left + (time.GetElapsedTime(at).TotalSeconds * options.SendsPerSecond));
    }
}
