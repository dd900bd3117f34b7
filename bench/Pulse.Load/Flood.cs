using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.WebSockets;

namespace Pulse.Load;

/// <summary>
/// One user goes ten times over each limit while others connect, beat and sign in, one at a time. Windows with and without the flood take
/// turns, and the result is the ratio of their medians, of each pair and in the middle.
/// </summary>
internal sealed class Flood(Options options, Dictionary<string, object> line)
{
    // Ten times the limits of docs/settings.md: connects and frames per second, lookups per second in requests of 200 ids, mails per minute.
    private const int Connects = 50, Frames = 1_000, LookupRequests = 100, IdsPerRequest = 200, MailsPerMinute = 100;

    // The pause between the others' operations, so that the limits on their own connects stay far away.
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    private static readonly string[] s_operations = ["connect", "beat", "sign-in"];

    private readonly Client _client = new(options.Ports[0]);
    private readonly Dictionary<string, int> _answers = [];
    private int _user;

    public async Task RunAsync()
    {
        await MeasureAsync(options.Warm);
        var ratios = s_operations.ToDictionary(name => name, _ => new List<double>());
        for (var round = 0; round < options.Rounds; round++)
        {
            // The order alternates, so that a drift of the machine does not favour one of them.
            var (first, second) = round % 2 == 0
                ? (await MeasureAsync(options.Seconds), await FloodedAsync())
                : (await FloodedAsync(), await MeasureAsync(options.Seconds));
            var (quiet, flooded) = round % 2 == 0 ? (first, second) : (second, first);
            foreach (var name in s_operations) ratios[name].Add(Middle(flooded[name]) / Middle(quiet[name]));
            foreach (var name in s_operations)
                line[$"{name} {round + 1}"] = $"{Middle(quiet[name]):F2} ms, {Middle(flooded[name]):F2} ms beside the flood ({quiet[name].Count} and {flooded[name].Count})";
        }

        foreach (var (name, values) in ratios) line[$"{name} ratio"] = Meter.Round(Middle(values));
        line["flood"] = _answers;
    }

    private static double Middle(List<double> values)
    {
        values.Sort();
        return values.Count == 0 ? double.NaN : (values[(values.Count - 1) / 2] + values[values.Count / 2]) / 2;
    }

    private async Task<Dictionary<string, List<double>>> FloodedAsync()
    {
        using var stop = new CancellationTokenSource();
        var flood = FloodAsync(stop.Token);
        // The stock that each limit allows at once is used up first.
        await Task.Delay(TimeSpan.FromSeconds(options.Warm), CancellationToken.None);
        var measured = await MeasureAsync(options.Seconds);
        await stop.CancelAsync();
        await flood;
        return measured;
    }

    private async Task<Dictionary<string, List<double>>> MeasureAsync(double seconds)
    {
        var times = s_operations.ToDictionary(name => name, _ => new List<double>());
        for (var clock = Stopwatch.StartNew(); clock.Elapsed.TotalSeconds < seconds;)
        {
            var token = options.Jwt.Mint(_user++ % options.Connections);
            using (var socket = new ClientWebSocket())
            {
                await NoteAsync("connect", () => _client.ConnectAsync(socket, token));
                await NoteAsync("beat", () => Client.CallAsync(socket, "Heartbeat", "[]"));
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
            }

            await NoteAsync("sign-in", async () =>
            {
                using var answer = await _client.SendAsync(HttpMethod.Post, "/auth/sync", token);
                answer.EnsureSuccessStatusCode();
            });
        }

        return times;

        async Task NoteAsync(string name, Func<Task> operation)
        {
            await Task.Delay(s_pause);
            var started = Stopwatch.GetTimestamp();
            await operation();
            times[name].Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
        }
    }

    private Task FloodAsync(CancellationToken stop)
    {
        var token = options.Jwt.Mint(options.Connections);
        return Task.WhenAll(
            RepeatAsync(Connects, () => CountConnectAsync(token, stop), stop),
            RepeatAsync(LookupRequests, () => CountAsync("lookups", () => LookUpAsync(token, stop)), stop),
            RepeatAsync(MailsPerMinute / 60.0, () => CountAsync("mails", () => AskForMailAsync(stop)), stop),
            SendFramesAsync(token, stop));
    }

    private async Task SendFramesAsync(string token, CancellationToken stop)
    {
        var frame = Hub.Call("Heartbeat", "[]");
        while (!stop.IsCancellationRequested)
        {
            using var socket = new ClientWebSocket();
            try
            {
                // The connects of the same user leave it a place now and then.
                await _client.ConnectAsync(socket, token, stop: stop);
                var reading = ReadToEndAsync(socket, stop);
                await RepeatAsync(Frames, async () =>
                {
                    await socket.SendAsync(frame, WebSocketMessageType.Text, true, stop);
                    Count("frames sent");
                }, stop, isSequential: true);
                await reading;
            }
            catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException)
            {
                Count("frames: sockets ended");
                await Task.Delay(s_pause, CancellationToken.None);
            }
        }
    }

    private static async Task ReadToEndAsync(ClientWebSocket socket, CancellationToken stop)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while ((await socket.ReceiveAsync(buffer, stop)).MessageType != WebSocketMessageType.Close) { }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // The server has ended it, or the flood is over.
        }
    }

    /// <summary>So many a second, without waiting for answers unless frames of one socket have to follow each other.</summary>
    private static async Task RepeatAsync(double perSecond, Func<Task> operation, CancellationToken stop, bool isSequential = false)
    {
        var pace = new Pace(perSecond);
        var running = new List<Task>();
        while (!stop.IsCancellationRequested)
        {
            while (!stop.IsCancellationRequested && pace.Due(out _))
            {
                var task = operation();
                if (isSequential) await task;
                else running.Add(task);
            }

            running.RemoveAll(task => task.IsCompletedSuccessfully);
            await Task.Delay(1, CancellationToken.None);
        }

        await Task.WhenAll(running).WaitAsync(TimeSpan.FromSeconds(30), CancellationToken.None);
    }

    private async Task CountConnectAsync(string token, CancellationToken stop)
    {
        using var socket = new ClientWebSocket();
        try
        {
            await _client.ConnectAsync(socket, token, stop: stop);
            Count("connects taken");
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException)
        {
            Count($"connects {socket.HttpStatusCode:D}");
        }
    }

    private async Task CountAsync(string name, Func<Task<HttpResponseMessage>> request)
    {
        try
        {
            using var answer = await request();
            Count($"{name} {answer.StatusCode:D}");
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            Count($"{name} failed");
        }
    }

    private Task<HttpResponseMessage> LookUpAsync(string token, CancellationToken stop) =>
        _client.SendAsync(HttpMethod.Get, $"/presence?ids={string.Join(',', Enumerable.Range(0, IdsPerRequest).Select(_ => Guid.NewGuid()))}", token, stop: stop);

    private Task<HttpResponseMessage> AskForMailAsync(CancellationToken stop) =>
        _client.SendAsync(HttpMethod.Post, "/auth/signin/email", null, JsonContent.Create(new { email = $"{Guid.NewGuid():N}@bench.test" }), stop);

    private void Count(string name)
    {
        lock (_answers) _answers[name] = _answers.GetValueOrDefault(name) + 1;
    }
}
