using System.Text;

namespace Pulse.Load;

/// <summary>Socket.IO 4 on Engine.IO 4, on the websocket transport from the start: the protocol of the original's clients.</summary>
internal sealed class SocketIo : IProtocol
{
    private static readonly byte[] s_pong = Text("3");

    public byte[] Heartbeat { get; } = Text("420[\"heartbeat\"]");

    public byte[]? KeepAlive => null;

    public byte[] Goodbye { get; } = [.. Text("41"), .. WebSocketFrame.Goodbye];

    public bool GreetsFirst => false;

    public string Target(string token) => "/socket.io/?EIO=4&transport=websocket";

    public byte[] Greeting(string token) => Text($"40{{\"token\":\"{token}\"}}");

    public void Read(Connection connection, ReadOnlySpan<byte> message, Action<Connection, Signal> on)
    {
        if (message.StartsWith("43"u8)) on(connection, Signal.Completed);
        else if (message.SequenceEqual("2"u8)) connection.Send(s_pong);
        else if (message.StartsWith("0"u8)) connection.Greet();
        else if (message.StartsWith("42[\"connected\""u8)) on(connection, Signal.Connected);
        else if (message.StartsWith("44"u8) || message.StartsWith("41"u8) || message.StartsWith("42[\"exception\""u8)) on(connection, Signal.Failed);
    }

    private static byte[] Text(string packet) => WebSocketFrame.Encode(WebSocketFrame.Text, Encoding.UTF8.GetBytes(packet));
}
