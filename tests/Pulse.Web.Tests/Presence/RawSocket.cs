using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Pulse.Web.Tests.Presence;

/// <summary>A hub connection over bare TCP, so that it can break as a network does: reset, without a goodbye.</summary>
internal sealed class RawSocket : IDisposable
{
    private static readonly byte[] s_handshake = Encoding.UTF8.GetBytes("{\"protocol\":\"json\",\"version\":1}\u001e");

    private readonly TcpClient _tcp = new();

    public static async Task<RawSocket> ConnectAsync(Uri address, string token)
    {
        var socket = new RawSocket();
        await socket._tcp.ConnectAsync(address.Host, address.Port);
        var request = $"""
            GET /hubs/pulse?access_token={token} HTTP/1.1
            Host: {address.Authority}
            Connection: Upgrade
            Upgrade: websocket
            Sec-WebSocket-Version: 13
            Sec-WebSocket-Key: {Convert.ToBase64String(RandomNumberGenerator.GetBytes(16))}


            """.ReplaceLineEndings("\r\n");
        var stream = socket._tcp.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(request));

        // One text frame, final, masked with zeros (RFC 6455 section 5.2).
        await stream.WriteAsync((byte[])[0x81, (byte)(0x80 | s_handshake.Length), 0, 0, 0, 0, .. s_handshake]);
        return socket;
    }

    /// <summary>Resets the TCP connection.</summary>
    public void Abort()
    {
        _tcp.LingerState = new(enable: true, seconds: 0);
        _tcp.Close();
    }

    public void Dispose() => _tcp.Dispose();
}
