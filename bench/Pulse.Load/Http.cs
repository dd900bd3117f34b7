using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Pulse.Load;

/// <summary>
/// HTTP/1.1 over kept-alive connections, closed loop. Every request is made beforehand, and only status and length of the answers are read.
/// </summary>
internal sealed class Http(Options options, Meter meter, Dictionary<string, object> line)
{
    private readonly Samples _latency = new();
    private byte[][] _requests = [];
    private int _next;
    private int _errors;

    /// <summary>Users in turn request their profile, for so many seconds.</summary>
    public Task MeAsync()
    {
        _requests = [.. Enumerable.Range(0, options.Connections).Select(user => Request("GET", "/auth/me", user))];
        return MeasureAsync(lasts: true, expected: "200");
    }

    /// <summary>New users sync their profile, each once: Pulse takes it from the token, the original from the body.</summary>
    public Task SyncAsync()
    {
        var original = options.Protocol is SocketIo;
        _requests = [.. Enumerable.Range(0, options.Connections).Select(user => Request("POST", "/auth/sync", user, original ? Profile(user) : ""))];
        return MeasureAsync(lasts: false, expected: original ? "200" : "201");
    }

    /// <summary>A request without a body, on a connection of its own.</summary>
    public static byte[] Post(string path, string token) => Encoding.ASCII.GetBytes(
        $"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n");

    private string Profile(int user) => $$"""{"email":"user{{options.FirstUser + user}}@bench.test","name":"User {{options.FirstUser + user}}"}""";

    private byte[] Request(string method, string path, int user, string? body = null) => Encoding.ASCII.GetBytes(
        $"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{options.Ports[0]}\r\nAuthorization: Bearer {options.Jwt.Mint(user)}\r\n{Length(body)}\r\n{body}");

    private static string Length(string? body) => body switch
    {
        null => "",
        "" => "Content-Length: 0\r\n",
        _ => $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n",
    };

    private async Task MeasureAsync(bool lasts, string expected)
    {
        var start = Stopwatch.GetTimestamp();
        if (lasts) await RunAsync(_ => Elapsed(options.Warm), expected);
        _latency.Clear();
        _next = 0;
        meter.Start();
        start = Stopwatch.GetTimestamp();
        await RunAsync(lasts ? _ => Elapsed(options.Seconds) : taken => taken >= _requests.Length, expected);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        meter.Stop();
        line["errors"] = _errors;
        meter.Report(line, _latency.Count, seconds);
        _latency.Report(line);

        bool Elapsed(double limit) => Stopwatch.GetElapsedTime(start).TotalSeconds >= limit;
    }

    private Task RunAsync(Func<int, bool> isOver, string expected)
    {
        return Task.WhenAll(Enumerable.Range(0, options.AtOnce).Select(_ => Task.Run(LoopAsync)));

        async Task LoopAsync()
        {
            using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, options.Ports[0]));
            var buffer = new byte[16 * 1024];
            while (true)
            {
                var taken = Interlocked.Increment(ref _next) - 1;
                if (isOver(taken)) return;

                var since = Stopwatch.GetTimestamp();
                await socket.SendAsync(_requests[taken % _requests.Length]);
                var status = await ReadAnswerAsync(socket, buffer);
                lock (_latency)
                {
                    _latency.Add(Stopwatch.GetElapsedTime(since).TotalMicroseconds);
                    if (status != expected) _errors++;
                }
            }
        }
    }

    private static async Task<string> ReadAnswerAsync(Socket socket, byte[] buffer)
    {
        var (length, total) = (0, int.MaxValue);
        while (length < total)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(length));
            if (received == 0) throw new IOException("The server has closed the connection.");
            length += received;
            if (total == int.MaxValue) total = TotalLength(buffer.AsSpan(0, length));
        }

        return Encoding.ASCII.GetString(buffer, "HTTP/1.1 ".Length, 3);
    }

    /// <summary>
    /// The length of head and body, or the largest number while the head is incomplete. The only chunked body here ends with "0".
    /// </summary>
    private static int TotalLength(ReadOnlySpan<byte> data)
    {
        var head = data.IndexOf("\r\n\r\n"u8);
        if (head < 0) return int.MaxValue;
        var field = data.IndexOf("Content-Length: "u8);
        if (field < 0) field = data.IndexOf("content-length: "u8); // Node's
        if (field < 0 || field > head) return data.EndsWith("0\r\n\r\n"u8) ? data.Length : int.MaxValue;
        var value = data[(field + "Content-Length: ".Length)..];
        return head + 4 + int.Parse(value[..value.IndexOf((byte)'\r')], CultureInfo.InvariantCulture);
    }
}
