namespace Pulse.Presence;

/// <summary>One live socket of a user, as its front end reports it to the user's grain.</summary>
/// <remarks>Contains all the grain's knowledge of the connection, so that a renewal can restore it after a silo's crash.</remarks>
[GenerateSerializer, Immutable, Alias("pulse.ConnectionLease")]
public sealed record ConnectionLease
{
    /// <summary>SignalR's connection id, which is unique for ever.</summary>
    [Id(0)] public required string ConnectionId { get; init; }

    /// <summary>The front-end process that holds the socket. Each start has a new id.</summary>
    [Id(1)] public required string FrontEndId { get; init; }

    /// <summary>
    /// The latest time at which the socket was known to be live, by the front end's clock, UTC. On disconnect, the time of the end.
    /// </summary>
    [Id(2)] public required DateTimeOffset SeenAt { get; init; }

    /// <summary>The sign-in session of the connection's token. <see langword="null"/> for a token without <c>sid</c>.</summary>
    [Id(3)] public Guid? SessionId { get; init; }

    /// <summary>The status that the client has set on this connection. <see cref="PresenceStatus.Online"/> by default.</summary>
    [Id(4)] public PresenceStatus Status { get; init; } = PresenceStatus.Online;

    /// <summary>The user's own message, at most 140 characters, set together with <see cref="Status"/>.</summary>
    [Id(5)] public string? Message { get; init; }

    /// <summary>When <see cref="Status"/> and <see cref="Message"/> were set, UTC. Among equal statuses the latest one counts.</summary>
    [Id(6)] public DateTimeOffset StatusSetAt { get; init; }

    /// <summary>When the socket was opened, UTC. Above the limit of connections, the oldest is closed.</summary>
    [Id(7)] public DateTimeOffset ConnectedAt { get; init; }

    /// <summary>
    /// When the client itself last called, UTC. A client that has not called for long is away, although its socket is live.
    /// </summary>
    [Id(8)] public DateTimeOffset ActiveAt { get; init; }

    /// <summary>The client's former connection, which this one replaces. <see langword="null"/> if the client named none.</summary>
    /// <remarks>
    /// The grain ends that lease and passes its status and message on, in the turn that takes this lease. Sent with the first lease of a
    /// connection.
    /// </remarks>
    [Id(9)] public string? PreviousConnectionId { get; init; }

    /// <summary>
    /// When the connection's token was issued, UTC, if a trusted issuer has issued it. <see langword="null"/> for a token of Pulse.
    /// </summary>
    [Id(10)] public DateTimeOffset? TokenIssuedAt { get; init; }
}

/// <summary>How a connection ended.</summary>
public enum ConnectionEnd
{
    /// <summary>The client closed it, or was signed out. The user disconnected on purpose.</summary>
    Closed = 0,

    /// <summary>It broke, or its front end is stopping. The client may reconnect soon.</summary>
    Dropped = 1,
}
