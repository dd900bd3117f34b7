namespace Pulse.Presence;

/// <summary>One live socket of a user, as the front end that holds it tells the user's grain.</summary>
/// <remarks>Carries all that the grain needs to know of the connection, so that a renewal can rebuild it after a silo's crash.</remarks>
[GenerateSerializer, Immutable, Alias("pulse.ConnectionLease")]
public sealed record ConnectionLease
{
    /// <summary>SignalR's connection id: unique, never used again.</summary>
    [Id(0)] public required string ConnectionId { get; init; }

    /// <summary>The front-end process that holds the socket; a new one at every start.</summary>
    [Id(1)] public required string FrontEndId { get; init; }

    /// <summary>The latest sign of life of the socket by the front end's clock, UTC. On disconnect: when it ended.</summary>
    [Id(2)] public required DateTimeOffset SeenAt { get; init; }

    /// <summary>The sign-in session that the connection's token belongs to; <see langword="null"/> for a token without <c>sid</c>.</summary>
    [Id(3)] public Guid? SessionId { get; init; }

    /// <summary>What the client on this connection set; <see cref="PresenceStatus.Online"/> until it does.</summary>
    [Id(4)] public PresenceStatus Status { get; init; } = PresenceStatus.Online;

    /// <summary>The user's own words, at most 140 characters, set together with <see cref="Status"/>.</summary>
    [Id(5)] public string? Message { get; init; }

    /// <summary>When <see cref="Status"/> and <see cref="Message"/> were set, UTC: among equals the latest counts.</summary>
    [Id(6)] public DateTimeOffset StatusSetAt { get; init; }

    /// <summary>When the socket was opened, UTC: past the limit of connections, the oldest is closed.</summary>
    [Id(7)] public DateTimeOffset ConnectedAt { get; init; }

    /// <summary>When the client itself last called, UTC: one that has been silent for long is away, though its socket lives.</summary>
    [Id(8)] public DateTimeOffset ActiveAt { get; init; }

    /// <summary>The client's former connection, which this one replaces; <see langword="null"/> when the client named none.</summary>
    /// <remarks>The grain ends that lease and passes its status and message on, in the turn that takes this lease. Sent with the first lease of a connection.</remarks>
    [Id(9)] public string? PreviousConnectionId { get; init; }

    /// <summary>When the connection's token was issued, UTC, if it is a trusted issuer's; <see langword="null"/> for a token of Pulse.</summary>
    [Id(10)] public DateTimeOffset? TokenIssuedAt { get; init; }
}

/// <summary>How a connection ended.</summary>
public enum ConnectionEnd
{
    /// <summary>The client closed it, or was signed out: the user meant to leave.</summary>
    Closed = 0,

    /// <summary>It broke, or its front end is stopping: the user may be back in a moment.</summary>
    Dropped = 1,
}
