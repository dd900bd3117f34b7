using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Pulse.Web.Tests.HotPaths;

/// <summary>A connection that allocates almost nothing, so that the measured allocations are the server's.</summary>
internal sealed class RawConnection : IDisposable
{
    private static readonly byte[] s_handshake = Frame(0x1, "{\"protocol\":\"json\",\"version\":1}\u001e"u8);
    private static readonly byte[] s_heartbeat = Frame(0x1, "{\"type\":1,\"invocationId\":\"0\",\"target\":\"Heartbeat\",\"arguments\":[]}\u001e"u8);
    private static readonly byte[] s_goodbye = Frame(0x8, [0x03, 0xe8]);
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _length;

    public static async Task<RawConnection> OpenAsync(Uri address)
    {
        var connection = new RawConnection();
        await connection._socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, address.Port));
        return connection;
    }

    /// <summary>Connects to the hub, up to the message <c>Connected</c>.</summary>
    public static async Task<RawConnection> ConnectAsync(Uri address, string token, string parameter = "access_token")
    {
        var connection = await OpenAsync(address);
        await connection.AskAsync(
            Request("GET", $"/hubs/pulse?{parameter}={token}", "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"),
            "\r\n\r\n"u8.ToArray());
        await connection.AskAsync(s_handshake, "\"Connected\""u8.ToArray());
        return connection;
    }

    public static byte[] Request(string method, string path, string headers) => Encoding.ASCII.GetBytes($"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");

    public Task HeartbeatAsync() => AskAsync(s_heartbeat, "\"type\":3"u8.ToArray());

    public async Task LeaveAsync() => await _socket.SendAsync(s_goodbye);

    /// <summary>Sends, and reads until the answer contains that text.</summary>
    public async Task AskAsync(ReadOnlyMemory<byte> question, ReadOnlyMemory<byte> answer)
    {
        using var bound = new CancellationTokenSource(s_bound);
        _length = 0;
        await _socket.SendAsync(question, bound.Token);
        while (_buffer.AsSpan(0, _length).IndexOf(answer.Span) < 0)
        {
            var received = await _socket.ReceiveAsync(_buffer.AsMemory(_length), bound.Token);
            Assert.True(received > 0, $"The server has closed the connection after: {Encoding.UTF8.GetString(_buffer, 0, _length)}");
            _length += received;
        }
    }

    public void Dispose() => _socket.Dispose();

    // One final frame, masked with zeros (RFC 6455 section 5.2).
    private static byte[] Frame(int opcode, ReadOnlySpan<byte> payload) => [(byte)(0x80 | opcode), (byte)(0x80 | payload.Length), 0, 0, 0, 0, .. payload];
}
