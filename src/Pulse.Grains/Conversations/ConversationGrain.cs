using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Orleans.Concurrency;
using Pulse.Conversations;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Conversations;

/// <summary>One conversation: its sequencer, and the front ends that have it open. Key: the conversation id.</summary>
/// <remarks>Reentrant, because many sends wait for one commit. Between two awaits nothing else of this conversation happens.</remarks>
[Reentrant, GrainType("conversation")]
internal sealed class ConversationGrain : Grain, IConversationGrain
{
    private static readonly TimeSpan s_checkInterval = TimeSpan.FromSeconds(10);

    private readonly IConversationStore _store;
    private readonly ConversationWriter _writer;
    private readonly InboxTable _inbox;
    private readonly ChatOptions _options;
    private readonly TimeProvider _time;
    private readonly Sequencer _sequencer;
    private readonly FrontEndSubscriptions _subscriptions;
    private readonly TypingUsers _typing;
    private int _entering;
    private int _blockReads;
    private bool _mayBlocksDiffer;
    private IGrainTimer? _check;
    private IGrainTimer? _typingEnd;

    public ConversationGrain(
        IGrainContext context, IConversationStore store, ConversationWriter writer, ChatMetrics metrics, InboxTable inbox, IOptions<ChatOptions> options,
        TimeProvider time, ILogger<ConversationGrain> logger)
    {
        (_store, _writer, _inbox, _options, _time) = (store, writer, inbox, options.Value, time);
        Id = context.GrainId.GetGuidKey();
        _typing = new(time);

        // The sequencer may notice the loss outside of a call. DeactivateOnIdle throws when the activation has ended by then, and nothing
        // there would catch that: the process would end.
        void Deactivate() => context.Deactivate(new(DeactivationReasonCode.ApplicationRequested, "Another activation has taken over."));
        _sequencer = new(Id, store, writer, metrics, _options, time, Publish, Deactivate, logger);
        _subscriptions = new(Id, store, metrics, time);
    }

    private Guid Id { get; }

    private ConversationState State => _sequencer.State!;

    // Larger conversations omit receipts and counts.
    private bool HasManyMembers => State.Members.Count > _options.ReceiptsUpTo;

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        // A command that is still under way must not claim the conversation again: the next activation owns it.
        _sequencer.Stop();
        return Task.CompletedTask;
    }

    public async Task<ConversationCreated> CreateAsync(ConversationStart start)
    {
        // One direct conversation for each pair. Of a group or channel the id follows from the creator's client id.
        var isNew = await _store.CreateAsync(Id, start, Instant.Truncate(_time.GetUtcNow()));
        var isDirect = start.Kind == ConversationKinds.Direct;
        var isSame = isNew || isDirect || (await _store.FindEntriesAsync(Id, [1]) is [var first]
            && first.Entry.SenderId == start.CreatorId && first.Entry.Body == ConversationBodies.Created(start));
        if (!isSame) return new(ConversationError.ClientIdReused, IsNew: false);

        // Repetitions too: the first call may have been lost between its commit and its hints. A repetition can name any users, so the database
        // says which of them are members. A direct conversation enters the other user's inbox with its first message.
        Guid[] members = isDirect ? [] : start.Members;
        Guid[] own = [start.CreatorId];
        if (!isNew)
        {
            var rows = await _store.FindMembersAsync(Id, [.. members, .. own]);
            var present = rows.Where(member => member.LeftSeq is null).Select(member => member.UserId).ToHashSet();
            (members, own) = ([.. members.Where(present.Contains)], [.. own.Where(present.Contains)]);
        }

        _inbox.Publish(Id, head: 1, members, own);
        return new(ConversationError.None, isNew);
    }

    public async Task<ConversationAnswer> ApplyAsync(ConversationCommand command)
    {
        if (_mayBlocksDiffer && _sequencer.State?.Members.ContainsKey(command.SenderId) == true)
        {
            try
            {
                await RefreshBlocksAsync();
            }
            catch (StoreUnavailableException)
            {
                return ConversationAnswer.Refuse(ConversationError.Unavailable);
            }
        }

        ConversationAnswer answer;
        _entering++;
        try
        {
            answer = await _sequencer.ApplyAsync(command);
        }
        finally
        {
            LeaveUnclaimed();
        }

        if (answer.Error == ConversationError.None && command is { Kind: EntryKinds.Message, Read: { } read })
        {
            try
            {
                await MarkReadAsync(command.SenderId, read, isInvisible: false);
            }
            catch (StoreUnavailableException)
            {
                // The message is stored. The client sets its marker again when it reads on.
            }
        }

        return answer;
    }

    public async Task<ConversationRun> SubscribeAsync(IConversationObserver frontEnd, long afterSeq)
    {
        if (await EnterAsync() is var refusal and not ConversationError.None) return new() { ConversationId = Id, Error = refusal };
        _check ??= this.RegisterGrainTimer(CheckAsync, s_checkInterval, s_checkInterval);
        return await _subscriptions.RenewAsync(frontEnd, afterSeq, State) with { Typing = _typing.Present };
    }

    public async Task<ConversationOpened> OpenAsync(IConversationObserver frontEnd, long afterSeq, Guid userId)
    {
        if (await EnterAsync(userId) is var refusal and not ConversationError.None) return new(new() { Error = refusal }, null);
        if (!State.Members.TryGetValue(userId, out var member)) return new(new() { Error = State.NotAMember }, null);
        var run = await SubscribeAsync(frontEnd, afterSeq);

        // Membership and head are from one turn: the user may have been removed while entries were read.
        if (!State.Members.TryGetValue(userId, out member)) return new(new() { Error = State.NotAMember }, null);
        return new(
            new()
            {
                Role = member.Role, From = member.VisibleFrom, Read = member.Read, Head = State.Head, Typing = _typing.Present,
                Markers = HasManyMembers ? [] : [.. State.Members.Select(entry => new ReadMarker(entry.Key, entry.Key == userId ? entry.Value.Read : entry.Value.Shown))],
            },
            run);
    }

    public Task UnsubscribeAsync(IConversationObserver frontEnd)
    {
        _subscriptions.Remove(frontEnd);
        return Task.CompletedTask;
    }

    public async Task<ReadAnswer> MarkReadAsync(Guid userId, long seq, bool isInvisible)
    {
        if (await EnterAsync(userId) is var refusal and not ConversationError.None) return new() { Error = refusal };
        if (!State.Members.TryGetValue(userId, out var member)) return new() { Error = State.NotAMember };
        if (seq < 0 || seq > State.Head) return new() { Error = ConversationError.InvalidArgument };
        var isFurther = seq > member.Read;
        var read = !isFurther ? member.Read : await _writer.MarkReadAsync(new(Id, userId, seq, isInvisible));
        if (State.Members.TryGetValue(userId, out member))
        {
            if (read > member.Read)
            {
                member.Read = read;
                _inbox.Publish(Id, head: 0, [], [userId], HasManyMembers);
            }

            // Shows this mark only: the furthest may be that of a call while the user was invisible.
            if (isFurther && !isInvisible && seq > member.Shown) Show(userId, member, seq);
        }

        var unread = await _store.CountUnreadAsync(Id, userId);
        return new() { Read = read, Unread = unread };
    }

    public async Task<ConversationError> TypeAsync(Guid userId)
    {
        if (await EnterAsync(userId) is var refusal and not ConversationError.None) return refusal;
        if (!State.Members.TryGetValue(userId, out var member)) return State.NotAMember;
        if (member.Role == MemberRoles.Reader) return ConversationError.ReadOnly;
        if (State.Members.Count > _options.TypingUpTo || State.IsBlocked || State.ClosedAt is not null) return ConversationError.None;
        if (_typing.Add(userId) || _typing.IsDueAgain) PublishTyping();
        _typingEnd ??= this.RegisterGrainTimer(EndTypingAsync, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        return ConversationError.None;
    }

    public async Task SetBlockAsync(Guid userId, Guid blockedId, bool isBlocked)
    {
        // Before the write, because its answer may be lost: the next command then reads what was stored.
        _mayBlocksDiffer = true;
        try
        {
            await _store.SetBlockAsync(userId, blockedId, isBlocked);
        }
        finally
        {
            // A read that began during the write may have missed it.
            _blockReads++;
            _mayBlocksDiffer = true;
        }

        // If another activation has the conversation, that one has to know of the block. A claim takes the conversation over.
        if (_sequencer.State is not null) await _sequencer.CheckAsync();
        if (await EnterAsync() == ConversationError.None) await RefreshBlocksAsync();
    }

    public async Task RefreshBlocksAsync()
    {
        // A claim that is under way may have read the blocks of before.
        if (_sequencer.IsLoading) await _sequencer.EnsureClaimedAsync();
        if (_sequencer.State is not { IsDirect: true } state) return;

        // Reads may end in another order than they began, and the last one may fail: then the next command reads again.
        _mayBlocksDiffer = true;
        var latest = ++_blockReads;
        if (await _store.LoadAsync(Id) is not { } row || latest != _blockReads) return;
        (state.IsBlocked, _mayBlocksDiffer) = (row.IsBlocked, false);
    }

    /// <summary>Claims the conversation for a member, or for a front end if the user is <see langword="null"/>.</summary>
    /// <returns>The reason of a refusal: the conversation is missing, or the user is outside of it.</returns>
    private async Task<ConversationError> EnterAsync(Guid? userId = null)
    {
        _entering++;
        try
        {
            if (userId is { } user && await _sequencer.FindRefusalAsync(user) is var refusal and not ConversationError.None) return refusal;
            if (_sequencer.IsLost) throw new StoreUnavailableException("another activation has taken over");
            return await _sequencer.EnsureClaimedAsync() ? ConversationError.None : ConversationError.NotFound;
        }
        finally
        {
            LeaveUnclaimed();
        }
    }

    // Any client can ask for any id. A stranger's call does not end the activation while that of a member begins.
    private void LeaveUnclaimed()
    {
        if (--_entering == 0 && _sequencer.State is null) DeactivateOnIdle();
    }

    private void Publish(NewEntry added)
    {
        if (_typing.Remove(added.UserId ?? added.Entry.SenderId)) PublishTyping();
        _subscriptions.Publish(State);
        if (added.Entry.Kind == EntryKinds.Message && State.Members.TryGetValue(added.Entry.SenderId, out var sender) && sender.Shown != sender.Read)
        {
            // The sender was invisible when it read, and its message shows that it was there.
            Show(added.Entry.SenderId, sender, sender.Read);
            _writer.MarkReadAsync(new(Id, added.Entry.SenderId, sender.Read)).Ignore();
        }

        var isLarge = State.Members.Count > _options.HintsUpTo;
        _inbox.Publish(
            Id, State.Head, isLarge ? added.Entry.Mentions : State.Members.Keys,
            added.UserId is { } userId ? [userId] : added.Entry.Kind == EntryKinds.Message ? [added.Entry.SenderId] : [], HasManyMembers);
    }

    private void Show(Guid userId, ConversationState.Member member, long seq)
    {
        member.Shown = seq;
        if (!HasManyMembers) _subscriptions.Publish(new ReadMarker(userId, seq), State);
    }

    private void PublishTyping()
    {
        _typing.NotePublished();
        _subscriptions.PublishTyping(_typing.Present, State);
    }

    private async Task CheckAsync(CancellationToken cancellationToken)
    {
        _subscriptions.RemoveSilent();
        if (_subscriptions.Count == 0)
        {
            _check?.Dispose();
            _check = null;
            return;
        }

        try
        {
            await _sequencer.CheckAsync();
        }
        catch (StoreUnavailableException)
        {
            // The next check asks again.
        }
    }

    private Task EndTypingAsync(CancellationToken cancellationToken)
    {
        if (_typing.RemoveIdle()) PublishTyping();
        if (_typing.Present.Length > 0) return Task.CompletedTask;
        _typingEnd?.Dispose();
        _typingEnd = null;
        return Task.CompletedTask;
    }
}
