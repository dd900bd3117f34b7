namespace Pulse.Load;

internal enum Signal
{
    None,
    Connected,
    Completed,
    PresenceChanged,
    Failed,
}

/// <summary>The messages over a WebSocket, as far as the phases need them. Every frequent frame is encoded once.</summary>
internal interface IProtocol
{
    /// <summary>The target of the upgrade request.</summary>
    string Target(string token);

    /// <summary>The client's first message.</summary>
    byte[] Greeting(string token);

    /// <summary>
    /// Whether the greeting is sent on the open socket. Otherwise <see cref="Read"/> sends it after the server's first message.
    /// </summary>
    bool GreetsFirst { get; }

    byte[] Heartbeat { get; }

    /// <summary>The message that a quiet client sends every 15 s, or null where the server asks instead.</summary>
    byte[]? KeepAlive { get; }

    byte[] Goodbye { get; }

    /// <summary>Reads a message: answers its request, and calls <paramref name="on"/> for each signal in it.</summary>
    void Read(Connection connection, ReadOnlySpan<byte> message, Action<Connection, Signal> on);
}
