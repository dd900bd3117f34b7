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

    /// <summary>The sign-in session whose end ends this connection too; <see langword="null"/> for a token that belongs to none.</summary>
    [Id(3)] public Guid? SessionId { get; init; }
}
