using Microsoft.Extensions.Options;
using Pulse.Conversations;
using Pulse.Presence;
using Pulse.Users;
using Pulse.Web.Http;
using Pulse.Web.Presence;
using Pulse.Web.Silos;

namespace Pulse.Web.Conversations;

/// <summary>What users do in conversations, for REST and the hub alike. Every method throws <see cref="ChatRefusedException"/> for a refusal.</summary>
internal sealed class ConversationCalls(
    GrainReferences<IConversationGrain> conversations, GrainReferences<IUserGrain> users, IGrainFactory grains, IConversationPolicy policy,
    ChannelAccess channels, ChatLimits limits, LookupLimit lookups, IOptions<ChatOptions> options, TimeProvider time)
{
    /// <summary>The longest time of a call. Every command may be repeated, so a silo that has died is replaced within this time or not at all.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(4);

    // With the grain's own deadline of 1.6 s, a repetition still ends within 2 s.
    private static readonly TimeSpan s_retryUntil = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(100);

    // Presence decides only which members see typing and markers, so a call waits a short time for it.
    private static readonly TimeSpan s_presenceTimeout = TimeSpan.FromSeconds(1);

    public ChatOptions Options => options.Value;

    /// <summary>Reads from the database, on whichever silo answers.</summary>
    public IConversationReaderGrain Reader => grains.GetGrain<IConversationReaderGrain>(0);

    /// <summary>Creates a conversation, or finds the one that exists.</summary>
    /// <returns>The id, and whether it is new.</returns>
    public async Task<(Guid Id, bool IsNew)> CreateAsync(Guid userId, CreateConversationRequest request, CancellationToken cancellationToken)
    {
        if (request.Kind is not (ConversationKinds.Direct or ConversationKinds.Group or ConversationKinds.Channel))
            throw ChatInput.Invalid("kind is one of direct, group, channel.");
        var members = (request.Members ?? []).Select(member => ChatInput.Id(member, "Each of members")).ToArray();
        if (members.Contains(userId)) throw ChatInput.Invalid("members are the other users: leave yourself out.");
        if (members.Distinct().Count() != members.Length) throw ChatInput.Invalid("members names a user twice.");
        if (members.Length >= Options.MaxMembers) throw new ChatRefusedException(ProblemTypes.TooManyMembers);
        if (members.Length > Options.AddsPerMinute) throw ChatInput.Invalid($"A conversation begins with at most {Options.AddsPerMinute} other members. Add the others later.");
        var clientId = ChatInput.Id(request.ClientId, "clientId");
        var isDirect = request.Kind == ConversationKinds.Direct;
        if (isDirect && members.Length != 1) throw ChatInput.Invalid("A direct conversation has exactly one other member.");
        if (isDirect && request.Title is not null) throw ChatInput.Invalid("A direct conversation has no title.");
        if (isDirect && request.NewcomersSee is not null) throw ChatInput.Invalid("A direct conversation has no newcomers.");
        var title = isDirect ? null : ChatInput.Title(request.Title);
        var newcomersSee = request.NewcomersSee is null ? NewcomersSee.All : RuleOf(request.NewcomersSee);

        // A repetition is answered before the limit on new conversations, and whether or not the others can still be reached. It notifies the
        // members again, so it counts as one change.
        var id = isDirect ? ConversationId.OfPair(userId, members[0]) : ConversationId.OfCreator(userId, clientId);
        var start = new ConversationStart { Kind = request.Kind, CreatorId = userId, Title = title, Members = members, NewcomersSee = newcomersSee };
        if ((await Reader.FindAsync(userId, id)).Found is null)
        {
            CountLookups(userId, members.Length);
            var reachable = await Reader.CheckUsersAsync(userId, [.. members, userId]);
            if (!reachable.Existing.Contains(userId)) throw new ChatRefusedException(ProblemTypes.UserNotSynced);
            if (members.FirstOrDefault(member => !reachable.Existing.Contains(member)) is var missing && missing != Guid.Empty)
                throw new ChatRefusedException(ProblemTypes.UserNotFound, $"There is no user {missing}.");
            ThrowIfFull(reachable, userId);
            if (reachable.Blocked.Length > 0 || !await policy.MayStartAsync(userId, request.Kind, members, cancellationToken))
                throw new ChatRefusedException(ProblemTypes.CannotMessage);
            limits.CountStart(userId);
            if (!isDirect) limits.CountAdds(userId, members.Length);
        }
        else
        {
            limits.CountAdds(userId, 1);
        }

        var created = await CallAsync(() => conversations[id].CreateAsync(start), answer => answer.Error, new ConversationCreated(ConversationError.UnknownOutcome, false));
        ChatProblems.ThrowIfRefused(created.Error, id, created.Detail);
        return (id, created.IsNew);
    }

    /// <summary>One conversation as the user sees it.</summary>
    public async Task<ConversationSummary> FindAsync(Guid userId, Guid id)
    {
        var lookup = await Reader.FindAsync(userId, id);
        ChatProblems.ThrowIfRefused(lookup.Error, id);
        return lookup.Found!;
    }

    /// <summary>Sends a message.</summary>
    public Task<ConversationAnswer> SendAsync(Guid userId, Guid id, SendMessageRequest? request)
    {
        if (request is null) throw ChatInput.Invalid("The message is missing.");
        var command = new ConversationCommand
        {
            Kind = EntryKinds.Message, SenderId = userId, ClientId = ChatInput.Id(request.ClientId, "clientId"), Text = ChatInput.Text(request.Text, Options),
            ReplyTo = Positive(request.ReplyTo, "replyTo"), Mentions = ChatInput.Mentions(request.Mentions),
            After = request.After is null ? null : ChatInput.Id(request.After, "after"), Read = NotNegative(request.Read, "read"),
        };
        if (command.After == command.ClientId) throw ChatInput.Invalid("after names the message itself.");
        limits.CountSend(userId);
        return ApplyAsync(id, command);
    }

    /// <summary>Replaces a message's text.</summary>
    public Task<ConversationAnswer> EditAsync(Guid userId, Guid id, long seq, EditMessageRequest? request)
    {
        if (request is null) throw ChatInput.Invalid("The edit is missing.");
        var command = new ConversationCommand
        {
            Kind = EntryKinds.Edit, SenderId = userId, Target = Message(seq), Text = ChatInput.Text(request.Text, Options),
            Mentions = ChatInput.Mentions(request.Mentions), Edited = NotNegative(request.Edited, "edited"),
        };
        limits.CountSend(userId);
        return ApplyAsync(id, command);
    }

    /// <summary>Deletes a message.</summary>
    public Task<ConversationAnswer> DeleteAsync(Guid userId, Guid id, long seq)
    {
        var command = new ConversationCommand { Kind = EntryKinds.Delete, SenderId = userId, Target = Message(seq) };
        limits.CountSend(userId);
        return ApplyAsync(id, command);
    }

    /// <summary>Adds a reaction, or removes it.</summary>
    public Task<ConversationAnswer> ReactAsync(Guid userId, Guid id, long seq, string? emoji, bool on)
    {
        var command = new ConversationCommand { Kind = EntryKinds.Reaction, SenderId = userId, Target = Message(seq), Text = ChatInput.Emoji(emoji), On = on };
        limits.CountSend(userId);
        return ApplyAsync(id, command);
    }

    /// <summary>Changes title or rules.</summary>
    public async Task ChangeAsync(Guid userId, Guid id, ChangeConversationRequest request)
    {
        if (request is { Title: null, NewcomersSee: null }) throw ChatInput.Invalid("Send title, newcomersSee, or both.");
        var title = request.Title is null ? null : ChatInput.Title(request.Title);
        var newcomersSee = request.NewcomersSee is null ? null : RuleOf(request.NewcomersSee);
        limits.CountAdds(userId, 1);
        if (title is not null) await ApplyAsync(id, new() { Kind = EntryKinds.Renamed, SenderId = userId, Text = title });
        if (newcomersSee is not null) await ApplyAsync(id, new() { Kind = EntryKinds.RulesChanged, SenderId = userId, Text = newcomersSee });
    }

    /// <summary>Closes a conversation.</summary>
    public Task<ConversationAnswer> CloseAsync(Guid userId, Guid id) => ApplyAsync(id, new() { Kind = EntryKinds.Closed, SenderId = userId });

    /// <summary>Adds a member, joins a channel, or sets a role.</summary>
    public async Task<ConversationAnswer> SetMemberAsync(Guid userId, Guid id, Guid memberId, string? role, CancellationToken cancellationToken)
    {
        if (role is not null && !MemberRoles.IsRole(role)) throw ChatInput.Invalid("role is one of owner, moderator, member, reader.");
        CountLookups(userId, 1);
        var reachable = await Reader.CheckUsersAsync(userId, [memberId, userId]);
        if (!reachable.Existing.Contains(userId)) throw new ChatRefusedException(ProblemTypes.UserNotSynced);

        // A stranger learns nothing about the user: the membership of the caller is checked first.
        if (memberId != userId) await FindAsync(userId, id);
        var lookup = await Reader.FindAsync(memberId, id);
        var isMember = lookup.Found is not null;
        limits.CountAdds(userId, 1);
        if (!isMember && memberId != userId)
        {
            if (!reachable.Existing.Contains(memberId)) throw new ChatRefusedException(ProblemTypes.UserNotFound, $"There is no user {memberId}.");
            if (reachable.Blocked.Contains(memberId) || !await policy.MayAddAsync(userId, id, memberId, cancellationToken))
                throw new ChatRefusedException(ProblemTypes.CannotMessage);
        }

        // The limit on memberships is for new members: a present one only gets another role.
        if (!isMember && reachable.Full?.Contains(memberId) == true) ThrowIfFull(reachable with { Full = [memberId] }, userId);
        if (lookup.Error == ConversationError.NotAMember && memberId == userId && !await channels.MayJoinAsync(userId, id, lookup, cancellationToken))
            throw new ChatRefusedException(ProblemTypes.ConversationNotFound);

        // Another user who is a member now may leave, and block the caller, before the command arrives. Nothing was checked for an addition.
        return await ApplyAsync(
            id, new() { Kind = EntryKinds.MemberAdded, SenderId = userId, UserId = memberId, Role = role, OnlyPresent = isMember && memberId != userId });
    }

    /// <summary>Removes a member; the user's own membership ends that way too.</summary>
    public Task<ConversationAnswer> RemoveMemberAsync(Guid userId, Guid id, Guid memberId) =>
        ApplyAsync(id, new() { Kind = EntryKinds.MemberRemoved, SenderId = userId, UserId = memberId });

    /// <summary>Moves the user's read marker forward.</summary>
    public async Task<ReadAnswer> MarkReadAsync(Guid userId, Guid id, long? seq)
    {
        var marked = NotNegative(seq ?? throw ChatInput.Invalid("seq is missing."), "seq")!.Value;
        limits.CountRead(userId);
        var started = time.GetTimestamp();
        var isInvisible = await IsInvisibleAsync(userId);
        var answer = await CallAsync(
            () => conversations[id].MarkReadAsync(userId, marked, isInvisible), read => read.Error, new ReadAnswer { Error = ConversationError.UnknownOutcome }, started);
        ChatProblems.ThrowIfRefused(answer.Error, id, answer.Error == ConversationError.InvalidArgument ? "seq is past the newest entry of the conversation." : null);
        return answer;
    }

    /// <summary>Shows the user as typing, unless the user is invisible.</summary>
    /// <exception cref="TimeoutException">A silo did not answer. The next calls of the socket wait for this one, so it ends soon.</exception>
    public async Task TypeAsync(Guid userId, Guid id)
    {
        if (!await IsInvisibleAsync(userId)) ChatProblems.ThrowIfRefused(await conversations[id].TypeAsync(userId).WaitAsync(s_presenceTimeout, time), id);
    }

    /// <summary>Blocks a user, or ends that.</summary>
    public async Task SetBlockAsync(Guid userId, Guid blockedId, bool on)
    {
        if (userId == blockedId) throw ChatInput.Invalid("You cannot block yourself.");
        CountLookups(userId, 1);
        if (on && !(await Reader.CheckUsersAsync(userId, [blockedId])).Existing.Contains(blockedId)) throw new ChatRefusedException(ProblemTypes.UserNotFound);

        // The grain of their conversation stores the block, so that it knows every stored block.
        ChatProblems.ThrowIfRefused(await CallAsync(SetAsync, error => error, ConversationError.UnknownOutcome), conversationId: null);

        async Task<ConversationError> SetAsync()
        {
            await conversations[ConversationId.OfPair(userId, blockedId)].SetBlockAsync(userId, blockedId, on);
            return ConversationError.None;
        }
    }

    // Answers about users are lookups of them, whichever route gives them.
    private void CountLookups(Guid userId, int count)
    {
        if (count > 0 && lookups.Spend(userId, count) is > 0 and var retryAfter)
            throw new ChatRefusedException(ProblemTypes.TooManyLookups, LookupLimit.Explain(retryAfter), retryAfter);
    }

    /// <summary>Asks the conversation's grain for an entry. Repeats the call while the outcome is unknown, which the grain recognises.</summary>
    private async Task<ConversationAnswer> ApplyAsync(Guid id, ConversationCommand command)
    {
        var answer = await CallAsync(
            () => conversations[id].ApplyAsync(command), applied => applied.Error, ConversationAnswer.Refuse(ConversationError.UnknownOutcome));
        ChatProblems.ThrowIfRefused(answer.Error, id, answer.Detail, answer.RetryAfter);
        return answer;
    }

    private Task<T> CallAsync<T>(Func<Task<T>> call, Func<T, ConversationError> error, T late) => CallAsync(call, error, late, time.GetTimestamp());

    private async Task<T> CallAsync<T>(Func<Task<T>> call, Func<T, ConversationError> error, T late, long started)
    {
        // An earlier attempt may have stored the change, so a later refusal leaves the outcome unknown.
        var isInDoubt = false;
        while (true)
        {
            var left = Timeout - time.GetElapsedTime(started);
            if (left <= TimeSpan.Zero) return late;
            try
            {
                var answer = await call().WaitAsync(left, time);
                if (error(answer) is not (ConversationError.Unavailable or ConversationError.UnknownOutcome)) return answer;

                // An activation that was replaced refuses at once, and the next call reaches its successor. A refusal that took longer is final.
                if (time.GetElapsedTime(started) > s_retryUntil) return isInDoubt ? late : answer;
                isInDoubt |= error(answer) == ConversationError.UnknownOutcome;
            }
            catch (StoreUnavailableException) when (time.GetElapsedTime(started) > s_retryUntil)
            {
                // Of a command that the store itself carries out, such as the creation of a conversation, the outcome is unknown.
                return late;
            }
            catch (Exception e) when (TransientErrors.IsTransient(e))
            {
                // The silo has died, or is stopping.
                isInDoubt = true;
            }

            await Task.Delay(s_pause, time);
        }
    }

    // A user whose presence is unknown, or uncertain after a failover, is treated as invisible, because a fault must not betray an invisible
    // user.
    private async Task<bool> IsInvisibleAsync(Guid userId)
    {
        try
        {
            var presence = await users[userId].GetPresenceAsync().WaitAsync(s_presenceTimeout, time);
            return presence.IsProvisional || presence.OwnStatus == PresenceStatus.Invisible;
        }
        catch (Exception e) when (TransientErrors.IsTransient(e))
        {
            return true;
        }
    }

    private static void ThrowIfFull(ReachableUsers users, Guid caller)
    {
        if (users.Full is not { Length: > 0 } full) return;
        throw new ChatRefusedException(ProblemTypes.TooManyMembers, full.Contains(caller)
            ? "You are a member of as many conversations as a user may be. Leave one first."
            : $"The user {full[0]} is a member of as many conversations as a user may be.");
    }

    private static string RuleOf(string text) =>
        text is NewcomersSee.All or NewcomersSee.SinceJoining ? text : throw ChatInput.Invalid("newcomersSee is all or since-joining.");

    private static long Message(long seq) => seq > 0 ? seq : throw ChatInput.Invalid("seq is the position of a message, 1 or more.");

    private static long? Positive(long? seq, string member) => seq is null or > 0 ? seq : throw ChatInput.Invalid($"{member} is the seq of a message, 1 or more.");

    private static long? NotNegative(long? seq, string member) => seq is null or >= 0 ? seq : throw ChatInput.Invalid($"{member} must not be negative.");
}
