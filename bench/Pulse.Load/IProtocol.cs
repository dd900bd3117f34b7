namespace Pulse.Load;

internal enum Signal
{
    None,
    Connected,
    Completed,
    PresenceChanged,
    Failed,
}

/// <summary>What is said over a WebSocket, as far as the phases need it. Every frame that is sent often is encoded once.</summary>
internal interface IProtocol
{
    /// <summary>The target of the upgrade request.</summary>
    string Target(string token);

    /// <summary>The client's first message.</summary>
    byte[] Greeting(string token);

    /// <summary>The greeting is sent on the open socket; or else <see cref="Read"/> sends it, when the server has spoken.</summary>
    bool GreetsFirst { get; }

    byte[] Heartbeat { get; }

    /// <summary>What a quiet client sends every 15 s, or null where the server asks instead.</summary>
    byte[]? KeepAlive { get; }

    byte[] Goodbye { get; }

    /// <summary>Reads a message: answers what it asks for, and calls <paramref name="on"/> for each signal in it.</summary>
    void Read(Connection connection, ReadOnlySpan<byte> message, Action<Connection, Signal> on);
}
