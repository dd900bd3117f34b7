namespace Pulse.Cluster.Tests;

/// <summary>
/// All clients of a test: users with a socket, others that watch them, and some whose profile is written. It knows the true state.
/// </summary>
internal sealed class Fleet
{
    private const int LeavingAtOnce = 100;

    private readonly HttpClient _http;
    private CancellationTokenSource _stopWriting = new();
    private readonly Func<Guid, string> _token;
    private Task _writing = Task.CompletedTask;

    public Fleet(LocalCluster cluster)
    {
        _token = id => cluster.Token(id, Email(id));
        _http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(10) }) { BaseAddress = cluster.Address, Timeout = TimeSpan.FromSeconds(30) };
        var run = Random.Shared.Next(0x10000);
        Users = [.. Enumerable.Range(0, Scale.Users).Select(i => new Guid(i, (short)run, 0x4000, 0x80, 0, 0, 0, 0, 0, 0, 1))];
        Sockets = Users.ToDictionary(id => id, id => new ClientSocket(cluster.Address, _token(id)));
        Watchers = [.. Enumerable.Range(0, Scale.Watchers).Select(w => new Watcher(
            cluster.Address, cluster.Token(Guid.NewGuid(), $"watcher{w}@example.com"), Users.Where((_, i) => i % (Scale.Watchers / 2) == w / 2)))];
        Writers = [.. Users.Take(Scale.Writers).Select(id => new Writer(_http, id, Email(id), _token(id)))];
    }

    public Guid[] Users { get; }

    public Dictionary<Guid, ClientSocket> Sockets { get; }

    public Watcher[] Watchers { get; }

    public Writer[] Writers { get; }

    /// <summary>The client for requests.</summary>
    public HttpClient Http => _http;

    /// <summary>Disconnected users, and when their socket was closed.</summary>
    public Dictionary<Guid, DateTimeOffset> Left { get; } = [];

    public static string Email(Guid userId) => $"{userId:N}@example.com";

    /// <summary>Starts all clients.</summary>
    public async Task StartAsync()
    {
        // Every user has a row, so that its lastSeen can be checked.
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = 32 };
        await Parallel.ForEachAsync(Users.Except(Writers.Select(writer => writer.UserId)), parallel, async (id, _) =>
        {
            var writer = new Writer(_http, id, Email(id), _token(id));
            await Wait.UntilAsync($"a row for {id}", async () =>
            {
                await writer.WriteAsync();
                return writer.AnsweredCount == 1 ? "" : writer.Failures[^1];
            }, Scale.StartTimeout);
        });
        foreach (var socket in Sockets.Values) socket.Connect();
        await Wait.UntilAsync("every user connected", () => Task.FromResult(Connected == Users.Length ? "" : $"{Connected} of {Users.Length}"), TimeSpan.FromMinutes(3));
        foreach (var watcher in Watchers) watcher.Socket.Connect();
        await Wait.UntilAsync("every watcher answered", () => Task.FromResult(Watchers.All(w => w.IsWatching) ? "" : "not yet"), TimeSpan.FromMinutes(2));
        StartWriting();
    }

    public int Connected => Sockets.Values.Count(socket => socket.IsConnected);

    /// <summary>Users that have disconnected at any time of this test: offline messages about them are true.</summary>
    public HashSet<Guid> EverLeft { get; } = [];

    /// <summary>Forgets the history of earlier tests: from now on every offline message about a connected user is false.</summary>
    public void BeginTest()
    {
        EverLeft.Clear();
        EverLeft.UnionWith(Left.Keys);
        foreach (var watcher in Watchers) watcher.Offlines.Clear();
    }

    /// <summary>Disconnects some users, as people do.</summary>
    public async Task LeaveAsync(int count)
    {
        var leaving = Users.Skip(Scale.Writers).Where(id => !Left.ContainsKey(id)).Take(count).ToArray();
        EverLeft.UnionWith(leaving);
        // A few at a time, because closing thousands takes seconds, and each user's time is compared.
        foreach (var few in leaving.Chunk(LeavingAtOnce))
        {
            await Task.WhenAll(few.Select(id => Sockets[id].CloseAsync()));
            foreach (var id in few) Left[id] = DateTimeOffset.UtcNow;
        }
    }

    /// <summary>Reconnects them.</summary>
    public void ComeBack()
    {
        foreach (var id in Left.Keys) Sockets[id].Connect();
        Left.Clear();
    }

    public void StartWriting()
    {
        _stopWriting = new();
        _writing = Task.WhenAll(Writers.Select(writer => writer.RunAsync(_stopWriting.Token)));
    }

    public async Task StopWritingAsync()
    {
        await _stopWriting.CancelAsync();
        await _writing;
        _stopWriting.Dispose();
    }

    public async Task StopAsync()
    {
        await StopWritingAsync();
        await Task.WhenAll(Sockets.Values.Concat(Watchers.Select(watcher => watcher.Socket)).Select(socket => socket.CloseAsync()));
        _http.Dispose();
    }
}
