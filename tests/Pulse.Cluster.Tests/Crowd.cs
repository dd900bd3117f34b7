using System.Net.WebSockets;
using System.Text;
using Npgsql;
using StackExchange.Redis;

namespace Pulse.Cluster.Tests;

/// <summary>
/// Many users, each with one socket at one front end. The sockets beat and ping as a browser's do, and stay closed once they are lost.
/// </summary>
internal sealed class Crowd : IAsyncDisposable
{
    private const int ConnectsAtOnce = 100;

    // Contacts are shared by five users each.
    private const int WatchersOfEach = 5;

    private static readonly byte[] s_handshake = Encoding.UTF8.GetBytes("{\"protocol\":\"json\",\"version\":1}\u001e");
    private static readonly byte[] s_ping = Encoding.UTF8.GetBytes("{\"type\":6}\u001e");
    private static readonly byte[] s_beat = Encoding.UTF8.GetBytes("{\"type\":1,\"invocationId\":\"0\",\"target\":\"Heartbeat\",\"arguments\":[]}\u001e");

    // SignalR's interval.
    private static readonly TimeSpan s_pingInterval = TimeSpan.FromSeconds(15);

    private readonly LocalCluster _cluster;
    private readonly Uri _address;
    private readonly ClientWebSocket[] _sockets;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _reading = [];
    private Task _beating = Task.CompletedTask;

    public Crowd(LocalCluster cluster, string frontEnd, int count)
    {
        _cluster = cluster;
        _address = new UriBuilder(cluster.AddressOf(frontEnd)) { Scheme = "ws", Path = "/hubs/pulse" }.Uri;
        Users = [.. Enumerable.Range(0, count).Select(_ => Guid.NewGuid())];
        _sockets = [.. Users.Select(_ => new ClientWebSocket())];
    }

    public Guid[] Users { get; }

    /// <summary>How many sockets are open.</summary>
    public int Connected => _sockets.Count(socket => socket.State == WebSocketState.Open);

    /// <summary>How many distinct users are watched.</summary>
    public int Watched { get; private set; }

    /// <summary>Inserts the users and connects them.</summary>
    /// <param name="contacts">How many users each of them watches: absent ones, and the next user.</param>
    public async Task StartAsync(int contacts)
    {
        await using (var database = await _cluster.OpenDatabaseAsync())
        {
            const string Sql = "INSERT INTO users (id, email, name, created_at) SELECT id, id || '@example.com', 'Crowd', now() FROM unnest($1) AS id";
            await using var insert = new NpgsqlCommand(Sql, database) { Parameters = { new() { Value = Users } } };
            await insert.ExecuteNonQueryAsync();
        }

        var absent = Enumerable.Range(0, Users.Length * contacts / WatchersOfEach).Select(_ => Guid.NewGuid()).ToArray();
        Watched = contacts == 0 ? 0 : absent.Length + Users.Length;
        await Parallel.ForEachAsync(Enumerable.Range(0, Users.Length), new ParallelOptions { MaxDegreeOfParallelism = ConnectsAtOnce }, async (i, _) =>
        {
            Guid[] watched = contacts == 0 ? [] : [Users[(i + 1) % Users.Length], .. Enumerable.Range(0, contacts - 1).Select(n => absent[((i * contacts) + n) % absent.Length])];
            var reading = await ConnectAsync(_sockets[i], _cluster.Token(Users[i], $"{Users[i]:N}@example.com"), watched);
            lock (_reading) _reading.Add(reading);
        });
        _beating = BeatAsync();
    }

    /// <summary>How many of the users have a presence key.</summary>
    public async Task<int> CountKeysAsync(ConnectionMultiplexer redis)
    {
        var values = await redis.GetDatabase().StringGetAsync([.. Users.Select(id => (RedisKey)$"user:{id}:online")]);
        return values.Count(value => value.HasValue);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _beating;
        await Task.WhenAll(_reading);
        foreach (var socket in _sockets) socket.Dispose();
        _stop.Dispose();
    }

    private async Task<Task> ConnectAsync(ClientWebSocket socket, string token, Guid[] watched)
    {
        await socket.ConnectAsync(new Uri($"{_address}?access_token={token}"), _stop.Token);
        await socket.SendAsync(s_handshake, WebSocketMessageType.Text, true, _stop.Token);
        await ReadUntilAsync(socket, "\"Connected\"");
        if (watched.Length > 0)
        {
            var call = $"{{\"type\":1,\"invocationId\":\"1\",\"target\":\"WatchPresence\",\"arguments\":[[{string.Join(',', watched.Select(id => $"\"{id}\""))}]]}}\u001e";
            await socket.SendAsync(Encoding.UTF8.GetBytes(call), WebSocketMessageType.Text, true, _stop.Token);
            await ReadUntilAsync(socket, "\"type\":3");
        }

        return ReadToEndAsync(socket);
    }

    private async Task ReadUntilAsync(ClientWebSocket socket, string text)
    {
        var (buffer, wanted, found) = (new byte[4 * 1024], Encoding.UTF8.GetBytes(text), false);
        while (!found)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(), _stop.Token);
            if (received.MessageType == WebSocketMessageType.Close) throw new WebSocketException($"The server has closed the connection: {socket.CloseStatusDescription}");
            found = buffer.AsSpan(0, received.Count).IndexOf(wanted) >= 0;
        }
    }

    private async Task ReadToEndAsync(ClientWebSocket socket)
    {
        var buffer = new byte[1024];
        try
        {
            while ((await socket.ReceiveAsync(buffer.AsMemory(), _stop.Token)).MessageType != WebSocketMessageType.Close) { }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException)
        {
            // The front end is gone, or the test is over.
        }
    }

    private async Task BeatAsync()
    {
        for (var round = 0; !_stop.IsCancellationRequested; round++)
        {
            var next = Task.Delay(s_pingInterval);
            foreach (var (i, socket) in _sockets.Index())
            {
                if (_stop.IsCancellationRequested) return;
                if (socket.State != WebSocketState.Open) continue;
                try
                {
                    // A beat instead of every second ping.
                    await socket.SendAsync((round + i) % 2 == 0 ? s_beat : s_ping, WebSocketMessageType.Text, true, _stop.Token);
                }
                catch (Exception e) when (e is WebSocketException or OperationCanceledException)
                {
                    // The front end is gone, or the test is over.
                }
            }

            await Task.WhenAny(next, Task.Delay(Timeout.Infinite, _stop.Token));
        }
    }
}
