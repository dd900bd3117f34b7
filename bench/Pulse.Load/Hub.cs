using System.Text;
using System.Text.Json;

namespace Pulse.Load;

internal enum Signal
{
    None,
    Connected,
    Completed,
    PresenceChanged,
    Failed,
}

/// <summary>SignalR's JSON protocol over a WebSocket, as far as the phases need it. Every frame that is sent often is encoded once.</summary>
internal sealed class Hub(Uri url)
{
    /// <summary>What the server answers to <see cref="Key"/> (RFC 6455 section 4.2.2).</summary>
    public static ReadOnlySpan<byte> Accept => "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="u8;

    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";
    private const byte End = 0x1e;

    public static readonly byte[] Handshake = Text("{\"protocol\":\"json\",\"version\":1}");
    public static readonly byte[] KeepAlive = Text("{\"type\":6}");
    public static readonly byte[] Goodbye = WebSocketFrame.Encode(WebSocketFrame.Close, [0x03, 0xe8]);
    public static readonly byte[] Heartbeat = Invoke("Heartbeat", "[]");

    /// <summary>A call of the hub.</summary>
    public static byte[] Invoke(string method, string arguments) =>
        Text($"{{\"type\":1,\"invocationId\":\"0\",\"target\":\"{method}\",\"arguments\":{arguments}}}");

    public byte[] Upgrade(string token) => Encoding.ASCII.GetBytes(
        $"GET {url.AbsolutePath}?access_token={token} HTTP/1.1\r\nHost: {url.Authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        $"Sec-WebSocket-Key: {Key}\r\nSec-WebSocket-Version: 13\r\n\r\n");

    /// <summary>Calls <paramref name="on"/> for each signal of a message.</summary>
    public static void Read(Connection connection, ReadOnlySpan<byte> message, Action<Connection, Signal> on)
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

    private static byte[] Text(string record) => WebSocketFrame.Encode(WebSocketFrame.Text, [.. Encoding.UTF8.GetBytes(record), End]);
}
