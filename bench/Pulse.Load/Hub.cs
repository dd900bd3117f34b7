using System.Text;
using System.Text.Json;

namespace Pulse.Load;

/// <summary>SignalR's JSON protocol without negotiation.</summary>
internal sealed class Hub : IProtocol
{
    private const byte End = 0x1e;

    private static readonly byte[] s_handshake = Text("{\"protocol\":\"json\",\"version\":1}");

    public byte[] Heartbeat { get; } = Invoke("Heartbeat", "[]");

    public byte[] KeepAlive { get; } = Text("{\"type\":6}");

    public byte[] Goodbye => WebSocketFrame.Goodbye;

    public bool GreetsFirst => true;

    /// <summary>The frame of a call of the hub.</summary>
    public static byte[] Invoke(string method, string arguments) => WebSocketFrame.Encode(WebSocketFrame.Text, Call(method, arguments));

    /// <summary>A call of the hub, without its frame.</summary>
    public static byte[] Call(string method, string arguments) =>
        Record($"{{\"type\":1,\"invocationId\":\"0\",\"target\":\"{method}\",\"arguments\":{arguments}}}");

    public string Target(string token) => $"/hubs/pulse?access_token={token}";

    public byte[] Greeting(string token) => s_handshake;

    public void Read(Connection connection, ReadOnlySpan<byte> message, Action<Connection, Signal> on)
    {
        while (message.IndexOf(End) is >= 0 and var end)
        {
            if (Read(message[..end]) is not Signal.None and var signal) on(connection, signal);
            message = message[(end + 1)..];
        }

        if (!message.IsEmpty) on(connection, Signal.Failed);
    }

    private static Signal Read(ReadOnlySpan<byte> record)
    {
        var (type, error, target) = (0, false, Signal.None);
        var json = new Utf8JsonReader(record);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("type"u8))
            {
                json.Read();
                type = json.GetInt32();
            }
            else if (json.ValueTextEquals("target"u8))
            {
                json.Read();
                target = json.ValueTextEquals("Connected"u8) ? Signal.Connected : json.ValueTextEquals("PresenceChanged"u8) ? Signal.PresenceChanged : Signal.None;
            }
            else
            {
                error |= json.ValueTextEquals("error"u8);
                json.Skip();
            }
        }

        return type switch
        {
            _ when error => Signal.Failed,
            1 => target,
            3 => Signal.Completed,
            7 => Signal.Failed,
            _ => Signal.None,
        };
    }

    private static byte[] Text(string record) => WebSocketFrame.Encode(WebSocketFrame.Text, Record(record));

    private static byte[] Record(string json) => [.. Encoding.UTF8.GetBytes(json), End];
}
