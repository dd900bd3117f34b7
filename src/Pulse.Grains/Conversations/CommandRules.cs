using Pulse.Conversations;

namespace Pulse.Grains.Conversations;

/// <summary>Decides whether a command becomes an entry, by the state after all entries before it.</summary>
internal sealed class CommandRules(ChatOptions options)
{
    private const int MaxEmoji = 20;

    /// <summary>What the rules need from the database for some commands.</summary>
    /// <param name="Target">The entry that an edit, a deletion or a reaction is about.</param>
    /// <param name="ReplyTo">The entry that a message answers.</param>
    /// <param name="IsPredecessorThere">Whether the message that must come before is in the log or in this run.</param>
    /// <param name="Former">The row of a former member that is to be added or kept out of a channel, or of an erased user.</param>
    /// <param name="ReactionSeq">The newest entry by this sender with the same reaction.</param>
    public sealed record Context(
        StoredEntry? Target = null, ConversationEntry? ReplyTo = null, bool IsPredecessorThere = false, FormerMember? Former = null, long? ReactionSeq = null);

    /// <summary>The entry for a command, or the answer where there is none to append.</summary>
    public (NewEntry? Entry, ConversationAnswer? Answer) Decide(ConversationState state, ConversationCommand command, Context context, DateTimeOffset now)
    {
        if (command.Kind == EntryKinds.SenderErased) return DecideErasure(state, command, context);
        var isJoin = IsJoin(command) && state.Kind == ConversationKinds.Channel;
        if (!state.Members.TryGetValue(command.SenderId, out var sender) && !isJoin) return Refuse(state.NotAMember);
        if (state.ClosedAt is not null && !IsAllowedWhenClosed(command)) return Refuse(ConversationError.Closed);
        return command.Kind switch
        {
            EntryKinds.Message => DecideMessage(state, command, sender!, context),
            EntryKinds.Edit => DecideEdit(state, command, sender!, context, now),
            EntryKinds.Delete => DecideDelete(state, command, sender!, context),
            EntryKinds.Reaction => DecideReaction(state, command, sender!, context),
            EntryKinds.MemberAdded => DecideMember(state, command, sender, context),
            EntryKinds.MemberRemoved => DecideRemoval(state, command, sender!, context),
            EntryKinds.Renamed => DecideRule(
                state, command, sender!, state.Title == command.Text, ConversationBodies.Title(command.Text!)),
            EntryKinds.RulesChanged => DecideRule(
                state, command, sender!, state.NewcomersSee == command.Text, ConversationBodies.Newcomers(command.Text!)),
            EntryKinds.Closed => DecideClose(state, command, sender!),
            _ => Refuse(ConversationError.InvalidArgument, $"'{command.Kind}' is no kind of command."),
        };
    }

    /// <summary>Whether a user adds itself, which a channel allows.</summary>
    public static bool IsJoin(ConversationCommand command) => command.Kind == EntryKinds.MemberAdded && command.UserId == command.SenderId;

    /// <summary>Whether a stored message is what the command asks for. After an edit or a deletion that is not known any more, and counts as the same.</summary>
    public static bool IsSameContent(ConversationEntry stored, ConversationCommand command) =>
        stored.EditedSeq is not null || stored.DeletedSeq is not null
        || (stored.Body == command.Text && stored.ReplyTo == command.ReplyTo && MentionsOf(command).SetEquals(stored.Mentions));

    /// <summary>The answer to a message that is stored already.</summary>
    public static ConversationAnswer Repeat(ConversationEntry stored, ConversationCommand command) => IsSameContent(stored, command)
        ? new() { Seq = stored.Seq, SentAt = stored.SentAt, IsRepeat = true }
        : ConversationAnswer.Refuse(ConversationError.ClientIdReused);

    // A mention of the sender counts for nobody.
    private static HashSet<Guid> MentionsOf(ConversationCommand command) => [.. command.Mentions.Where(id => id != command.SenderId)];

    private static (NewEntry?, ConversationAnswer?) DecideMessage(
        ConversationState state, ConversationCommand command, ConversationState.Member sender, Context context)
    {
        if (sender.Role == MemberRoles.Reader) return Refuse(ConversationError.ReadOnly);
        if (state.IsBlocked) return Refuse(ConversationError.CannotMessage);
        if (command.After is not null && !context.IsPredecessorThere) return Refuse(ConversationError.PredecessorMissing);
        if (command.ReplyTo is { } reply && (context.ReplyTo?.Kind != EntryKinds.Message || reply < sender.VisibleFrom))
            return Refuse(ConversationError.InvalidArgument, "replyTo is the seq of a message of this conversation that you can see.");
        return FindStranger(state, command) is { } stranger
            ? stranger
            : Append(new() { Kind = EntryKinds.Message, ClientId = command.ClientId, ReplyTo = command.ReplyTo, Body = command.Text, Mentions = [.. MentionsOf(command)] });
    }

    private (NewEntry?, ConversationAnswer?) DecideEdit(
        ConversationState state, ConversationCommand command, ConversationState.Member sender, Context context, DateTimeOffset now)
    {
        if (FindMessage(context, sender) is not { } message) return Refuse(ConversationError.NotFound);
        if (sender.Role == MemberRoles.Reader) return Refuse(ConversationError.ReadOnly);
        if (message.SenderId != command.SenderId) return Refuse(ConversationError.NotYours);
        if (message.DeletedSeq is not null) return Refuse(ConversationError.NotFound, "The message was deleted.");
        if (message.Body == command.Text && MentionsOf(command).SetEquals(message.Mentions)) return Existing(message.EditedSeq ?? message.Seq, message.SentAt);
        if (command.Edited is { } known && known != (message.EditedSeq ?? 0)) return Refuse(ConversationError.EditConflict);
        if (options.EditWindow is { } window && now - message.SentAt > window)
            return Refuse(ConversationError.NotYours, $"A message can be edited for {window.TotalMinutes:0.#} minutes after it was sent.");
        if (state.IsBlocked) return Refuse(ConversationError.CannotMessage);
        return FindStranger(state, command) is { } stranger
            ? stranger
            : Append(new() { Kind = EntryKinds.Edit, Target = message.Seq, Body = command.Text, Mentions = [.. MentionsOf(command)] });
    }

    private static (NewEntry?, ConversationAnswer?) DecideDelete(
        ConversationState state, ConversationCommand command, ConversationState.Member sender, Context context)
    {
        if (FindMessage(context, sender) is not { } message) return Refuse(ConversationError.NotFound);
        if (message.SenderId != command.SenderId && (state.IsDirect || !sender.Manages)) return Refuse(ConversationError.NotYours);
        return message.DeletedSeq is { } deleted
            ? Existing(deleted, message.SentAt)
            : Append(new() { Kind = EntryKinds.Delete, Target = message.Seq, Body = ConversationBodies.Deleted(command.SenderId) });
    }

    private static (NewEntry?, ConversationAnswer?) DecideReaction(
        ConversationState state, ConversationCommand command, ConversationState.Member sender, Context context)
    {
        if (FindMessage(context, sender) is not { } message || message.DeletedSeq is not null) return Refuse(ConversationError.NotFound);
        if (sender.Role == MemberRoles.Reader) return Refuse(ConversationError.ReadOnly);
        if (state.IsBlocked) return Refuse(ConversationError.CannotMessage);
        var emoji = command.Text!;
        var reactions = context.Target!.Reactions;
        if (reactions.Any(reaction => reaction.UserId == command.SenderId && reaction.Emoji == emoji) == command.On)
            return Existing(context.ReactionSeq ?? message.Seq, message.SentAt);
        if (command.On && reactions.All(reaction => reaction.Emoji != emoji) && reactions.Select(reaction => reaction.Emoji).Distinct().Count() >= MaxEmoji)
            return Refuse(ConversationError.InvalidArgument, $"A message has at most {MaxEmoji} different emoji.");
        return Append(new() { Kind = EntryKinds.Reaction, Target = message.Seq, Body = ConversationBodies.Reaction(emoji, command.On) });
    }

    private (NewEntry?, ConversationAnswer?) DecideMember(
        ConversationState state, ConversationCommand command, ConversationState.Member? sender, Context context)
    {
        if (state.IsDirect) return Refuse(ConversationError.NotForDirect);
        var userId = command.UserId!.Value;
        if (state.Members.TryGetValue(userId, out var present)) return DecideRole(state, command, sender, present);
        if (command.OnlyPresent) return Refuse(ConversationError.NotFound, "The user is no member.");

        var role = command.Role ?? MemberRoles.Member;
        if (sender is null)
        {
            // Joins a channel. A reader who left returns as a reader, because leaving would otherwise undo what a moderator has set.
            if (context.Former?.RemovedBy is not null) return Refuse(ConversationError.CannotMessage);
            var own = context.Former?.Role == MemberRoles.Reader ? MemberRoles.Reader : MemberRoles.Member;
            role = command.Role ?? own;
            if (role != own) return Refuse(ConversationError.NotYours);
        }
        else if (!sender.Manages || (sender.Role != MemberRoles.Owner && role is MemberRoles.Owner or MemberRoles.Moderator))
        {
            return Refuse(ConversationError.NotYours);
        }

        if (state.Members.Count >= options.MaxMembers) return Refuse(ConversationError.TooManyMembers);

        // Seqs are assigned when the run is handed over: 0 stands for the entry's own.
        var from = state.NewcomersSee == NewcomersSee.All && context.Former is null ? 1 : 0;
        return (new(new() { Kind = EntryKinds.MemberAdded, Body = ConversationBodies.Member(userId, role) }, userId, role, from), null);
    }

    private static (NewEntry?, ConversationAnswer?) DecideRole(
        ConversationState state, ConversationCommand command, ConversationState.Member? sender, ConversationState.Member present)
    {
        var role = command.Role;
        if (role is null || present.Role == role) return Existing(present.RoleSeq ?? present.JoinedSeq, state.LastSentAt);
        if (sender is null || !sender.Manages) return Refuse(ConversationError.NotYours);
        if (sender.Role != MemberRoles.Owner && (present.Manages || role is MemberRoles.Owner or MemberRoles.Moderator)) return Refuse(ConversationError.NotYours);
        if (present.Role == MemberRoles.Owner && IsLastOwner(state)) return Refuse(ConversationError.LastOwner);
        return (new(new() { Kind = EntryKinds.RoleChanged, Body = ConversationBodies.Member(command.UserId!.Value, role) }, command.UserId, role), null);
    }

    private static (NewEntry?, ConversationAnswer?) DecideRemoval(
        ConversationState state, ConversationCommand command, ConversationState.Member sender, Context context)
    {
        if (state.IsDirect) return Refuse(ConversationError.NotForDirect);
        var userId = command.UserId!.Value;
        var isOwn = userId == command.SenderId;
        if (!isOwn && !sender.Manages) return Refuse(ConversationError.NotYours);
        var entry = new NewEntry(new() { Kind = EntryKinds.MemberRemoved, Body = ConversationBodies.Removed(userId, command.SenderId) }, userId);

        // A user who has left a channel could join it again, and so evade a removal by leaving first.
        if (context.Former is { RemovedBy: null }) return (entry, null);
        if (!state.Members.TryGetValue(userId, out var member)) return Refuse(ConversationError.NotFound, "The user is no member.");
        if (!isOwn && sender.Role != MemberRoles.Owner && member.Manages) return Refuse(ConversationError.NotYours);
        if (member.Role == MemberRoles.Owner && IsLastOwner(state) && state.ClosedAt is null) return Refuse(ConversationError.LastOwner);
        return (entry, null);
    }

    private static (NewEntry?, ConversationAnswer?) DecideRule(
        ConversationState state, ConversationCommand command, ConversationState.Member sender, bool isSame, string body)
    {
        if (state.IsDirect) return Refuse(ConversationError.NotForDirect);
        if (!sender.Manages) return Refuse(ConversationError.NotYours);
        return isSame ? Existing(state.Head, state.LastSentAt) : (new(new() { Kind = command.Kind, Body = body }, Value: command.Text), null);
    }

    private static (NewEntry?, ConversationAnswer?) DecideClose(ConversationState state, ConversationCommand command, ConversationState.Member sender)
    {
        if (state.IsDirect) return Refuse(ConversationError.NotForDirect);
        if (sender.Role != MemberRoles.Owner) return Refuse(ConversationError.NotYours);
        return state.ClosedAt is { } closedAt
            ? Existing(state.ClosedSeq ?? state.Head, closedAt)
            : Append(new() { Kind = command.Kind, Body = ConversationBodies.Empty });
    }

    // Also of a closed conversation, and of one that the user has left.
    private static (NewEntry?, ConversationAnswer?) DecideErasure(ConversationState state, ConversationCommand command, Context context) => context.Former is null
        ? Existing(state.Head, state.LastSentAt)
        : (new(new() { Kind = command.Kind, Body = ConversationBodies.Erased(command.SenderId) }, command.SenderId), null);

    // A member can always leave, because a user may be a member of only so many conversations.
    private static bool IsAllowedWhenClosed(ConversationCommand command) =>
        command.Kind == EntryKinds.Closed || (command.Kind == EntryKinds.MemberRemoved && command.UserId == command.SenderId);

    private static bool IsLastOwner(ConversationState state) => state.Members.Values.Count(member => member.Role == MemberRoles.Owner) == 1;

    private static ConversationEntry? FindMessage(Context context, ConversationState.Member sender) =>
        context.Target?.Entry is { Kind: EntryKinds.Message } message && message.Seq >= sender.VisibleFrom ? message : null;

    private static (NewEntry?, ConversationAnswer?)? FindStranger(ConversationState state, ConversationCommand command) =>
        MentionsOf(command).Where(id => !state.Members.ContainsKey(id)).Select(id => ((NewEntry?, ConversationAnswer?)?)Refuse(
            ConversationError.InvalidArgument, $"mentions: {id} is no member of this conversation.")).FirstOrDefault();

    private static (NewEntry?, ConversationAnswer?) Append(ConversationEntry entry) => (new(entry), null);

    private static (NewEntry?, ConversationAnswer?) Existing(long seq, DateTimeOffset sentAt) => (null, new() { Seq = seq, SentAt = sentAt, IsRepeat = true });

    private static (NewEntry?, ConversationAnswer?) Refuse(ConversationError error, string? detail = null) => (null, ConversationAnswer.Refuse(error, detail));
}
