namespace Pulse.Web.Conversations;

/// <summary>Decides which users may talk to each other. Register another implementation before Pulse's own to replace it.</summary>
public interface IConversationPolicy
{
    /// <summary>Whether the user may create a conversation with the others.</summary>
    /// <param name="userId">The creator.</param>
    /// <param name="kind"><c>direct</c>, <c>group</c> or <c>channel</c>.</param>
    /// <param name="others">The other members.</param>
    /// <param name="cancellationToken">The request's.</param>
    ValueTask<bool> MayStartAsync(Guid userId, string kind, IReadOnlyList<Guid> others, CancellationToken cancellationToken);

    /// <summary>Whether the user may add another user to a conversation.</summary>
    /// <param name="userId">The calling member.</param>
    /// <param name="conversationId">The conversation.</param>
    /// <param name="otherId">The user to add.</param>
    /// <param name="cancellationToken">The request's.</param>
    ValueTask<bool> MayAddAsync(Guid userId, Guid conversationId, Guid otherId, CancellationToken cancellationToken);

    /// <summary>Whether the user may find and join a channel. The default allows it.</summary>
    /// <remarks>
    /// Asked when the user joins, for each channel of a list, and before an answer reveals that the channel exists. For a user who may not join
    /// it, the channel is in no list, and its id is unknown. Members are not asked about, so they stay members.
    /// </remarks>
    /// <param name="userId">The user, who is no member.</param>
    /// <param name="conversationId">The channel.</param>
    /// <param name="creatorId">
    /// The user who created the channel, who may be erased by now. <see cref="Guid.Empty"/> from a silo of an earlier version.
    /// </param>
    /// <param name="cancellationToken">The request's.</param>
    ValueTask<bool> MayJoinAsync(Guid userId, Guid conversationId, Guid creatorId, CancellationToken cancellationToken) => ValueTask.FromResult(true);
}

/// <summary>The default: every signed-in user may talk to every other. Blocks are checked besides.</summary>
internal sealed class SignedInConversationPolicy : IConversationPolicy
{
    public ValueTask<bool> MayStartAsync(Guid userId, string kind, IReadOnlyList<Guid> others, CancellationToken cancellationToken) => ValueTask.FromResult(true);

    public ValueTask<bool> MayAddAsync(Guid userId, Guid conversationId, Guid otherId, CancellationToken cancellationToken) => ValueTask.FromResult(true);
}
