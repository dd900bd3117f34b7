using Pulse.Presence;

namespace Pulse.Web.Presence;

/// <summary>One socket that this front end holds. Lives as long as the socket; found through the connection's features.</summary>
internal sealed class LiveConnection(string connectionId, Guid userId, Guid? sessionId)
{
    // SignalR handles one invocation of a connection at a time: these two need no guard.
    private long _second;
    private int _callsInSecond;

    public string ConnectionId => connectionId;

    public Guid UserId => userId;

    /// <summary>The session whose end ends this socket too; <see langword="null"/> for a token that belongs to none.</summary>
    public Guid? SessionId => sessionId;

    /// <summary>When the client itself last did something, UTC ticks.</summary>
    public long ActiveAtTicks;

    /// <summary>Counts a call of the client.</summary>
    /// <returns><see langword="false"/> when it is one too many for this second.</returns>
    public bool TryCall(DateTimeOffset now, int callsPerSecond)
    {
        Volatile.Write(ref ActiveAtTicks, now.UtcTicks);
        var second = now.ToUnixTimeSeconds();
        if (second != _second) (_second, _callsInSecond) = (second, 0);
        return ++_callsInSecond <= callsPerSecond;
    }

    public ConnectionLease ToLease(string frontEndId, DateTimeOffset seenAt) =>
        new() { ConnectionId = connectionId, FrontEndId = frontEndId, SeenAt = seenAt, SessionId = sessionId };
}
