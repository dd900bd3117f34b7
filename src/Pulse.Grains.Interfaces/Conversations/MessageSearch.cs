namespace Pulse.Conversations;

/// <summary>A search in messages.</summary>
[GenerateSerializer, Immutable, Alias("pulse.MessageSearch")]
public sealed record MessageSearch
{
    /// <summary>What the user typed, 1 to 200 characters of well-formed UTF-16.</summary>
    [Id(0)] public string Text { get; init; } = "";

    /// <summary>The conversation to search; <see langword="null"/> for the user's 200 most recent ones.</summary>
    [Id(1)] public Guid? ConversationId { get; init; }

    /// <summary>Where the page before ends; <see langword="null"/> for the first page.</summary>
    [Id(2)] public SearchCursor? Before { get; init; }

    /// <summary>The most hits, 1 to 50.</summary>
    [Id(3)] public int Limit { get; init; } = 20;
}

/// <summary>Where a page of hits ends: at its last hit, or at the time that a search reached.</summary>
/// <param name="At">When the message was sent, or the time itself: the next page has earlier messages.</param>
/// <param name="ConversationId">The conversation of the message; <see cref="Guid.Empty"/> with a time.</param>
/// <param name="Seq">The message's seq; 0 with a time.</param>
[GenerateSerializer, Immutable, Alias("pulse.SearchCursor")]
public sealed record SearchCursor([property: Id(0)] DateTimeOffset At, [property: Id(1)] Guid ConversationId, [property: Id(2)] long Seq);

/// <summary>A message that a search found.</summary>
/// <param name="ConversationId">The conversation.</param>
/// <param name="Seq">The message's seq.</param>
/// <param name="SenderId">The sender.</param>
/// <param name="SentAt">When it was sent.</param>
/// <param name="Snippet">The part of the text around the first match, at most about 160 characters.</param>
[GenerateSerializer, Immutable, Alias("pulse.SearchHit")]
public sealed record SearchHit(
    [property: Id(0)] Guid ConversationId, [property: Id(1)] long Seq, [property: Id(2)] Guid SenderId, [property: Id(3)] DateTimeOffset SentAt,
    [property: Id(4)] string Snippet);

/// <summary>A page of hits, newest first.</summary>
/// <param name="Error">Why the reader does not get it.</param>
/// <param name="Hits">The hits.</param>
/// <param name="HasMore">Whether there may be more. A page can have no hits and still have more, if the search ended early for its time.</param>
[GenerateSerializer, Immutable, Alias("pulse.SearchPage")]
public sealed record SearchPage([property: Id(0)] ConversationError Error, [property: Id(1)] SearchHit[] Hits, [property: Id(2)] bool HasMore)
{
    /// <summary>
    /// Where the next page begins; <see langword="null"/> without one. A silo of an earlier version leaves it out: the next page then begins after
    /// the last hit.
    /// </summary>
    [Id(3)] public SearchCursor? Next { get; init; }
}

/// <summary>A search for channels.</summary>
[GenerateSerializer, Immutable, Alias("pulse.ChannelSearch")]
public sealed record ChannelSearch
{
    /// <summary>A part of the title, without regard to case; <see langword="null"/> for all channels.</summary>
    [Id(0)] public string? Title { get; init; }

    /// <summary>The last channel of the page before; <see langword="null"/> for the first page.</summary>
    [Id(1)] public ChannelCursor? After { get; init; }

    /// <summary>The most channels.</summary>
    [Id(2)] public int Limit { get; init; } = 50;
}

/// <summary>Where a page of channels ends.</summary>
/// <param name="Title">The channel's title at that time.</param>
/// <param name="Id">The channel.</param>
[GenerateSerializer, Immutable, Alias("pulse.ChannelCursor")]
public sealed record ChannelCursor([property: Id(0)] string Title, [property: Id(1)] Guid Id);

/// <summary>A channel that a user may join.</summary>
/// <param name="Id">The channel.</param>
/// <param name="Title">Its title.</param>
/// <param name="Members">How many members it has, counted up to 1,000.</param>
/// <param name="LastAt">Time of the newest message; <see langword="null"/> before the first one.</param>
[GenerateSerializer, Immutable, Alias("pulse.ChannelInfo")]
public sealed record ChannelInfo([property: Id(0)] Guid Id, [property: Id(1)] string Title, [property: Id(2)] int Members, [property: Id(3)] DateTimeOffset? LastAt)
{
    /// <summary>The user who created it; empty from a silo of an earlier version.</summary>
    [Id(4)] public Guid CreatorId { get; init; }
}

/// <summary>A page of channels, in the order of their titles.</summary>
/// <param name="Channels">The channels.</param>
/// <param name="HasMore">Whether there are more.</param>
[GenerateSerializer, Immutable, Alias("pulse.ChannelPage")]
public sealed record ChannelPage([property: Id(0)] ChannelInfo[] Channels, [property: Id(1)] bool HasMore);
