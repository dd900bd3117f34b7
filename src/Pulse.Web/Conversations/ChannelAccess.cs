using System.Security.Cryptography;
using Microsoft.AspNetCore.DataProtection;
using Pulse.Conversations;
using Pulse.Web.Http;

namespace Pulse.Web.Conversations;

/// <summary>Which channels a user who is no member can find, by <see cref="IConversationPolicy"/>.</summary>
internal sealed class ChannelAccess(IConversationPolicy policy, IGrainFactory grains, IDataProtectionProvider protection, TimeProvider time)
{
    // Bounds the statements of one request where a policy hides most channels.
    private const int MaxReads = 10;

    // A plain cursor has no such character.
    private const char Sealed = '~';

    // The refused call has just read the same row, so another read is slow only during a fault.
    private static readonly TimeSpan s_timeout = TimeSpan.FromSeconds(1);

    private readonly IDataProtector _protector = protection.CreateProtector("Pulse.Web.Conversations.ChannelAccess");

    private IConversationReaderGrain Reader => grains.GetGrain<IConversationReaderGrain>(0);

    /// <summary>A page of the channels that the user may join.</summary>
    /// <returns>Fewer channels than a page has, or none, may come with a cursor, after as many hidden channels as one request reads.</returns>
    public async Task<(IReadOnlyList<ChannelInfo> Channels, string? After)> ListAsync(
        Guid userId, string? title, ChannelCursor? after, int limit, CancellationToken cancellationToken)
    {
        var found = new List<ChannelInfo>(limit);
        var search = new ChannelSearch { Title = title, After = after, Limit = limit };
        for (var reads = 1; ; reads++)
        {
            var page = await Reader.ListChannelsAsync(userId, search);
            if (policy is SignedInConversationPolicy) return (page.Channels, page is { HasMore: true, Channels: [.., var end] } ? ChatInput.ToText(CursorOf(end)) : null);
            foreach (var channel in page.Channels)
            {
                if (!await policy.MayJoinAsync(userId, channel.Id, channel.CreatorId, cancellationToken)) continue;

                // A cursor says that there is another channel for this user, never that there is a hidden one.
                if (found.Count == limit) return (found, ChatInput.ToText(CursorOf(found[^1])));
                found.Add(channel);
            }

            if (page is not { HasMore: true, Channels: [.., var last] }) return (found, null);
            if (reads == MaxReads) return (found, Seal(CursorOf(last)));
            search = search with { After = CursorOf(last) };
        }
    }

    /// <summary>Whether the user may join the channel.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="id">The channel.</param>
    /// <param name="lookup">The user's lookup of it, which had the answer that the user is no member.</param>
    /// <param name="cancellationToken">The request's.</param>
    public ValueTask<bool> MayJoinAsync(Guid userId, Guid id, ConversationLookup lookup, CancellationToken cancellationToken) =>
        policy.MayJoinAsync(userId, id, lookup.ChannelCreatorId ?? Guid.Empty, cancellationToken);

    /// <summary>Replaces the refusal that reveals a channel by that of an unknown id, if the user may not join the channel.</summary>
    public async Task<ChatRefusedException> HideAsync(ChatRefusedException refused, Guid userId, CancellationToken cancellationToken)
    {
        if (refused is not { ConversationId: { } id } || refused.Problem != ProblemTypes.NotAMember || policy is SignedInConversationPolicy) return refused;
        var lookup = await Reader.FindAsync(userId, id).WaitAsync(s_timeout, time, cancellationToken);
        if (lookup.Error == ConversationError.None) return refused; // The user has joined meanwhile.
        var isHidden = lookup.Error == ConversationError.NotFound || !await MayJoinAsync(userId, id, lookup, cancellationToken);
        return isHidden ? new(ProblemTypes.ConversationNotFound) : refused;
    }

    /// <summary>Reads a cursor that a client sends.</summary>
    /// <exception cref="ChatRefusedException">It is none.</exception>
    public ChannelCursor? CursorOf(string? text)
    {
        if (text is not [Sealed, ..]) return ChatInput.ChannelCursor(text);
        try
        {
            return ChatInput.ChannelCursor(_protector.Unprotect(text[1..]));
        }
        catch (CryptographicException)
        {
            throw ChatInput.NotAChannelCursor();
        }
    }

    // The last channel that was read may be hidden, and a plain cursor shows its title.
    private string Seal(ChannelCursor cursor) => Sealed + _protector.Protect(ChatInput.ToText(cursor));

    private static ChannelCursor CursorOf(ChannelInfo channel) => new(channel.Title, channel.Id);
}
