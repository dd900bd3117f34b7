using System.Net.Sockets;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Pulse.Web.Tests.Presence;

/// <summary>A hub connection whose client reads only on request, and whose receive buffer is as small as possible.</summary>
internal sealed class SlowSocket : IDisposable
{
    private const char RecordSeparator = '\u001e';
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);
    private static readonly JsonSerializerOptions s_noNulls = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly TcpClient _tcp = new() { ReceiveBufferSize = 4096 };
    private readonly byte[] _buffer = new byte[64 * 1024];
    private readonly Queue<string> _read = new();
    private string _unfinished = "";
    private WebSocket? _socket;

    public static async Task<SlowSocket> ConnectAsync(Uri address, string token, string query = "", string path = "/hubs/pulse")
    {
        var socket = new SlowSocket();
        await socket._tcp.ConnectAsync(address.Host, address.Port);
        var stream = socket._tcp.GetStream();
        var request = $"""
            GET {path}?access_token={token}{query} HTTP/1.1
            Host: {address.Authority}
            Connection: Upgrade
            Upgrade: websocket
            Sec-WebSocket-Version: 13
            Sec-WebSocket-Key: {Convert.ToBase64String(RandomNumberGenerator.GetBytes(16))}


            """.ReplaceLineEndings("\r\n");
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));
        var answer = "";
        while (!answer.EndsWith("\r\n\r\n", StringComparison.Ordinal)) answer += (char)stream.ReadByte();
        Assert.StartsWith("HTTP/1.1 101", answer, StringComparison.Ordinal);

        socket._socket = WebSocket.CreateFromStream(stream, new WebSocketCreationOptions { KeepAliveInterval = TimeSpan.Zero });
        await socket.SendAsync("""{"protocol":"json","version":1}""");
        await socket.NextAsync("Connected");
        return socket;
    }

    /// <summary>Calls a method of the hub. Asks for an answer only if there is an id.</summary>
    public Task CallAsync(string method, object?[] arguments, string? id = null) =>
        SendAsync(JsonSerializer.Serialize(new { type = 1, target = method, arguments, invocationId = id }, s_noNulls));

    public Task SendAsync(string messages) =>
        _socket!.SendAsync(Encoding.UTF8.GetBytes(messages + RecordSeparator), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    /// <summary>Reads up to the next message that contains that text.</summary>
    public async Task<JsonElement> NextAsync(string part)
    {
        using var bound = new CancellationTokenSource(s_bound);
        while (true)
        {
            while (_read.TryDequeue(out var message))
            {
                if (message.Contains(part, StringComparison.Ordinal)) return JsonSerializer.Deserialize<JsonElement>(message);
            }

            var received = await _socket!.ReceiveAsync(_buffer, bound.Token);
            Assert.True(received.MessageType != WebSocketMessageType.Close, $"Closed before a message with '{part}'.");
            var parts = (_unfinished + Encoding.UTF8.GetString(_buffer, 0, received.Count)).Split(RecordSeparator);
            foreach (var message in parts[..^1]) _read.Enqueue(message);
            _unfinished = parts[^1];
        }
    }

    /// <summary>Sends a close frame, by default the goodbye of a client that stops, and reads no further.</summary>
    public Task CloseAsync(WebSocketCloseStatus status = WebSocketCloseStatus.NormalClosure) =>
        _socket!.CloseOutputAsync(status, null, CancellationToken.None);

    /// <summary>Sends a close frame that lacks a code, as browsers do for a script that omits it, and stops reading.</summary>
    public async Task CloseWithoutCodeAsync() => await _tcp.GetStream().WriteAsync((byte[])[0x88, 0x80, 0, 0, 0, 0]);

    /// <summary>Reads until the connection is closed, with a goodbye or without.</summary>
    public async Task ClosedAsync()
    {
        using var bound = new CancellationTokenSource(s_bound);
        try
        {
            while ((await _socket!.ReceiveAsync(_buffer, bound.Token)).MessageType != WebSocketMessageType.Close)
            {
            }
        }
        catch (Exception exception) when (exception is WebSocketException || (exception is OperationCanceledException && !bound.IsCancellationRequested))
        {
            // The connection was reset.
        }
    }

    public void Dispose()
    {
        _socket?.Dispose();
        _tcp.Dispose();
    }
}
