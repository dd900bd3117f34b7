using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json;

namespace Pulse.Load;

/// <summary>
/// One user sends to a conversation that many sockets have open. In every second pair of runs, one more socket has it open that is full and
/// does not read. The result is how much the p99 of the others differs within the pairs with such a socket, and without.
/// </summary>
internal sealed class SlowReader(Options options, Dictionary<string, object> line)
{
    // More than the kernel's buffers of both ends take: 48 KB each, with the letter escaped.
    private const int LargeMessages = 150;
    private const int LargestText = 8_000;

    // A front end bounds each user to 20 messages a second.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan s_most = TimeSpan.FromSeconds(10);

    private readonly Client _client = new(options.Ports[0]);
    private readonly List<double> _times = [];
    private readonly Lock _gate = new();
    private TaskCompletionSource _all = new();
    private long _sentAt;
    private int _missing;

    private int Slow => options.Connections;

    public async Task RunAsync()
    {
        var group = await CreateAsync("group", [.. Enumerable.Range(1, options.Connections)]);
        var large = await CreateAsync("direct", [Slow]);
        var readers = await Task.WhenAll(Enumerable.Range(0, options.Connections).Chunk(50).Select(async users =>
        {
            var reading = new List<Task>();
            foreach (var user in users) reading.Add(await OpenAsync(user, group));
            return reading;
        }));
        await SendAllAsync(group, options.Seconds);

        var (without, with) = (new List<double>(), new List<double>());
        for (var round = 0; round < options.Rounds; round++)
        {
            without.Add(await DifferenceAsync(() => MeasureAsync(group, options.Seconds), () => MeasureAsync(group, options.Seconds), $"{round + 1} without"));
            with.Add(round % 2 == 0
                ? await DifferenceAsync(() => MeasureAsync(group, options.Seconds), () => MeasureBesideAsync(group, large), $"{round + 1} with")
                : await DifferenceAsync(() => MeasureBesideAsync(group, large), () => MeasureAsync(group, options.Seconds), $"{round + 1} with, first"));
        }

        line["difference of p99, ms, without a slow reader"] = without;
        line["difference of p99, ms, with"] = with;
        line["ended"] = readers.SelectMany(reading => reading).Count(reading => reading.IsCompleted);
    }

    private async Task<double> DifferenceAsync(Func<Task<double>> first, Func<Task<double>> second, string name)
    {
        var (one, other) = (await first(), await second());
        line[$"p99 ms, pair {name}"] = $"{one:F2}, {other:F2}";
        return Meter.Round(Math.Abs(one - other));
    }

    private async Task<double> MeasureBesideAsync(Guid group, Guid large)
    {
        // A small window, which the front end fills sooner.
        using var invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = async (context, stop) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = 4096 };
                await socket.ConnectAsync(context.DnsEndPoint, stop);
                return new NetworkStream(socket, ownsSocket: true);
            },
        });
        using var slow = new ClientWebSocket();
        await _client.ConnectAsync(slow, options.Jwt.Mint(Slow), invoker);
        await Client.CallAsync(slow, "OpenConversation", $"[\"{group}\", 0]");
        await Client.CallAsync(slow, "OpenConversation", $"[\"{large}\", 0]");
        for (var i = 0; i < LargeMessages; i++)
        {
            await SendAsync(large, new string('\u0436', LargestText));
            await Task.Delay(s_pause);
        }

        var measured = await MeasureAsync(group, options.Seconds);
        line["state of the slow socket"] = slow.State.ToString();
        slow.Abort();
        return measured;
    }

    private async Task<double> MeasureAsync(Guid group, double seconds)
    {
        // Garbage of the large messages, and of the connect, is collected before.
        await SendAllAsync(group, options.Warm);
        lock (_gate) _times.Clear();
        await SendAllAsync(group, seconds);
        lock (_gate)
        {
            _times.Sort();
            return _times[(int)Math.Ceiling(0.99 * _times.Count) - 1];
        }
    }

    private async Task SendAllAsync(Guid group, double seconds)
    {
        for (var clock = Stopwatch.StartNew(); clock.Elapsed.TotalSeconds < seconds;)
        {
            lock (_gate) (_missing, _all, _sentAt) = (options.Connections, new(TaskCreationOptions.RunContinuationsAsynchronously), Stopwatch.GetTimestamp());
            await SendAsync(group, "As long as what people write to each other on an ordinary day, one sentence or two.");
            await _all.Task.WaitAsync(s_most);
            await Task.Delay(s_pause);
        }
    }

    private async Task<Task> OpenAsync(int user, Guid group)
    {
        var socket = new ClientWebSocket();
        await _client.ConnectAsync(socket, options.Jwt.Mint(user));
        await Client.CallAsync(socket, "OpenConversation", $"[\"{group}\", 0]");
        return ReadAsync(socket);
    }

    private async Task ReadAsync(ClientWebSocket socket)
    {
        using (socket)
        {
            var buffer = new byte[8 * 1024];
            while (true)
            {
                var received = await socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (received.MessageType == WebSocketMessageType.Close) return;
                if (buffer.AsSpan(0, received.Count).IndexOf("EntriesAdded"u8) < 0) continue;
                lock (_gate)
                {
                    _times.Add(Stopwatch.GetElapsedTime(_sentAt).TotalMilliseconds);
                    if (--_missing == 0) _all.SetResult();
                }
            }
        }
    }

    private async Task<Guid> CreateAsync(string kind, int[] members)
    {
        using var answer = await _client.SendAsync(HttpMethod.Post, "/conversations", options.Jwt.Mint(0), JsonContent.Create(new
        {
            kind, title = kind == "group" ? "Measured" : null, clientId = Guid.NewGuid(), members = members.Select(user => Jwt.UserId(options.FirstUser + user)),
        }));
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
    }

    private async Task SendAsync(Guid conversation, string text)
    {
        using var answer = await _client.SendAsync(
            HttpMethod.Post, $"/conversations/{conversation}/messages", options.Jwt.Mint(0), JsonContent.Create(new { clientId = Guid.NewGuid(), text }));
        answer.EnsureSuccessStatusCode();
    }
}
