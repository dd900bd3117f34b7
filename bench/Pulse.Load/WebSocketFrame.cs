using System.Buffers.Binary;
using System.Text;

namespace Pulse.Load;

/// <summary>The upgrade and the frames of RFC 6455. Clients mask their frames, servers do not.</summary>
internal static class WebSocketFrame
{
    public const int Continuation = 0, Text = 1, Binary = 2, Close = 8, Ping = 9, Pong = 10;

    /// <summary>The server's answer to <see cref="Key"/> (section 4.2.2).</summary>
    public static ReadOnlySpan<byte> Accept => "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="u8;

    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";

    private static ReadOnlySpan<byte> Mask => [0x37, 0xfa, 0x21, 0x3d];

    public static readonly byte[] Goodbye = Encode(Close, [0x03, 0xe8]);

    public static byte[] Upgrade(string target, ushort port) => Encoding.ASCII.GetBytes(
        $"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        $"Sec-WebSocket-Key: {Key}\r\nSec-WebSocket-Version: 13\r\n\r\n");

    public static byte[] Encode(int opcode, ReadOnlySpan<byte> payload)
    {
        int extra = payload.Length < 126 ? 0 : 2;
        byte[] frame = new byte[6 + extra + payload.Length];
        frame[0] = (byte)(0x80 | opcode);
        frame[1] = (byte)(0x80 | (extra == 0 ? payload.Length : 126));
        if (extra != 0) BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(2), checked((ushort)payload.Length));
        Mask.CopyTo(frame.AsSpan(2 + extra));
        for (int i = 0; i < payload.Length; i++) frame[6 + extra + i] = (byte)(payload[i] ^ Mask[i & 3]);
        return frame;
    }

    /// <summary>Takes one whole frame off the front of <paramref name="data"/>, or leaves it as it is.</summary>
    public static bool TryTake(ref ReadOnlySpan<byte> data, out int opcode, out bool final, out ReadOnlySpan<byte> payload)
    {
        opcode = 0; final = false; payload = default;
        if (data.Length < 2) return false;
        long length = data[1] & 0x7f;
        int header = length switch { 126 => 4, 127 => 10, _ => 2 };
        if (data.Length < header) return false;
        if (header == 4) length = BinaryPrimitives.ReadUInt16BigEndian(data[2..]);
        else if (header == 10) length = BinaryPrimitives.ReadInt64BigEndian(data[2..]);
        if (data.Length - header < length) return false;
        opcode = data[0] & 0xf;
        final = (data[0] & 0x80) != 0;
        payload = data.Slice(header, (int)length);
        data = data[(header + (int)length)..];
        return true;
    }
}
