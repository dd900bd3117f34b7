using System.Diagnostics;
using System.Net.WebSockets;
using System.Text;

namespace Pulse.Web.Tests.TwoNodes;

/// <summary>
/// A hub connection that watches one user, as light as possible, because thousands of them share a process with the nodes.
/// </summary>
internal sealed class WatchingSocket : IDisposable
{
    private const char RecordSeparator = '\u001e';

    private readonly ClientWebSocket _socket = new();
    private readonly byte[] _buffer = new byte[1024];
    private string _unread = "";

    private WatchingSocket() => _socket.Options.KeepAliveInterval = TimeSpan.Zero;

    public static async Task<WatchingSocket> ConnectAsync(Uri node, string token, Guid watched, CancellationToken cancellation)
    {
        var socket = new WatchingSocket();
        var address = new UriBuilder(new Uri(node, "/hubs/pulse")) { Scheme = "ws", Query = $"access_token={token}" }.Uri;
        await socket._socket.ConnectAsync(address, cancellation);
        await socket.SendAsync("""{"protocol":"json","version":1}""", cancellation);
        await socket.SendAsync($$"""{"type":1,"invocationId":"1","target":"WatchPresence","arguments":[["{{watched}}"]]}""", cancellation);
        var answer = await socket.NextAsync("\"type\":3", cancellation);
        Assert.Contains(watched.ToString(), answer, StringComparison.Ordinal);
        return socket;
    }

    /// <summary>Reports to the server that the client lives, because it closes a silent one.</summary>
    public Task PingAsync(CancellationToken cancellation) => SendAsync("""{"type":6}""", cancellation);

    /// <summary>Waits until the watched user is shown with that status.</summary>
    /// <returns>A timestamp of <see cref="Stopwatch"/>.</returns>
    public async Task<long> SeesAsync(string status, CancellationToken cancellation)
    {
        await NextAsync($"\"PresenceChanged\",\"arguments\":[", cancellation, $"\"status\":\"{status}\"");
        return Stopwatch.GetTimestamp();
    }

    public void Dispose() => _socket.Dispose();

    private Task SendAsync(string message, CancellationToken cancellation) =>
        _socket.SendAsync(Encoding.UTF8.GetBytes(message + RecordSeparator), WebSocketMessageType.Text, endOfMessage: true, cancellation);

    private async Task<string> NextAsync(string part, CancellationToken cancellation, string otherPart = "")
    {
        while (true)
        {
            for (var end = _unread.IndexOf(RecordSeparator, StringComparison.Ordinal); end >= 0; end = _unread.IndexOf(RecordSeparator, StringComparison.Ordinal))
            {
                var message = _unread[..end];
                _unread = _unread[(end + 1)..];
                if (message.Contains(part, StringComparison.Ordinal) && message.Contains(otherPart, StringComparison.Ordinal)) return message;
            }

            var received = await _socket.ReceiveAsync(_buffer.AsMemory(), cancellation);
            Assert.NotEqual(WebSocketMessageType.Close, received.MessageType);
            _unread += Encoding.UTF8.GetString(_buffer, 0, received.Count);
        }
    }
}
