using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Npgsql;

namespace Pulse.Cluster.Tests;

/// <summary>
/// Users that send messages through both front ends while processes die, readers that keep a log as a client does, and a checker that compares both
/// with the database.
/// </summary>
internal sealed class Talk(LocalCluster cluster) : IAsyncDisposable
{
    private static readonly bool s_isLong = Scale.Messages >= 10_000;
    private static readonly int s_users = s_isLong ? 50 : 8;
    private static readonly int s_conversations = s_isLong ? 20 : 4;

    // How often one message is sent at once.
    private static readonly int s_copies = s_isLong ? 5 : 3;

    /// <returns>The seq of the answer; <see langword="null"/> for a refusal, or none.</returns>
    private delegate Task<long?> TrySend(Guid id, Guid clientId, int number, int frontEnd);

    private static readonly string[] s_frontEnds = ["front-end-1", "front-end-2"];

    private readonly HttpClient _http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(10) }) { Timeout = TimeSpan.FromSeconds(30) };
    private readonly CancellationTokenSource _stop = new();
    private readonly (Guid Id, string Token)[] _users = [.. Enumerable.Range(0, s_users).Select(_ => Guid.NewGuid()).Select(id => (id, cluster.Token(id, $"{id:N}@example.com")))];
    private readonly List<Guid> _conversations = [];
    private readonly List<LogReader> _readers = [];
    private readonly List<ClientSocket> _sockets = [];
    private readonly ConcurrentDictionary<(Guid Conversation, Guid Sender, Guid ClientId), (long Seq, int Number)> _acknowledged = new();
    private readonly ConcurrentQueue<string> _faults = new();
    private Task _sending = Task.CompletedTask;
    private long _slowestRest;
    private long _slowestHub;
    private int _repeats;

    /// <summary>How many messages were acknowledged.</summary>
    public int Acknowledged => _acknowledged.Count;

    /// <summary>How many repetitions were answered.</summary>
    public int Repeats => _repeats;

    /// <summary>The longest time from a request to its answer, over REST or a hub.</summary>
    public TimeSpan Slowest => SlowestOverRest > SlowestOverHub ? SlowestOverRest : SlowestOverHub;

    /// <summary>The longest time over REST.</summary>
    public TimeSpan SlowestOverRest => TimeSpan.FromTicks(Volatile.Read(ref _slowestRest));

    /// <summary>The longest time over a hub, without the wait for earlier calls of that socket.</summary>
    public TimeSpan SlowestOverHub => TimeSpan.FromTicks(Volatile.Read(ref _slowestHub));

    /// <summary>Whether the senders leave the first front end alone.</summary>
    public bool AvoidsFirstFrontEnd { get; set; }

    /// <summary>Creates the conversations, opens them on a reader at each front end, and begins to send.</summary>
    public async Task StartAsync()
    {
        foreach (var (id, token) in _users)
        {
            using var synced = await SendAsync(HttpMethod.Post, "/auth/sync", token, new { email = $"{id:N}@example.com", name = "Talker" });
            synced.EnsureSuccessStatusCode();
        }

        for (var i = 0; i < s_conversations; i++)
        {
            // A user may create 10 conversations a minute.
            _conversations.Add(await CreateAsync(_users[i % s_users]));
        }

        foreach (var (frontEnd, user) in s_frontEnds.Zip(_users))
        {
            var reader = new LogReader(cluster.AddressOf(frontEnd), user.Token, _http, _conversations);
            _readers.Add(reader);
            reader.Start();
        }

        _sending = Task.WhenAll(_users.Select((user, i) => Task.Run(() => SendAllAsync(user.Id, i % 2 == 0 ? RestOf(user.Token) : HubOf(user.Token), new(i)))));
    }

    /// <summary>Measures <see cref="Slowest"/> from now on.</summary>
    public void ForgetSlowest()
    {
        Volatile.Write(ref _slowestRest, 0);
        Volatile.Write(ref _slowestHub, 0);
    }

    /// <summary>Creates a conversation of all senders that no sender uses.</summary>
    public Task<Guid> CreateAsync() => CreateAsync(_users[0]);

    /// <summary>Sends one message of one sender once, over REST.</summary>
    /// <returns>The answer's status, its problem's name or "", and its time.</returns>
    public async Task<(HttpStatusCode Status, string Problem, TimeSpan Time)> SendOnceAsync(Guid id, Guid clientId, int sender)
    {
        var started = Stopwatch.GetTimestamp();
        using var answer = await SendAsync(HttpMethod.Post, $"/conversations/{id}/messages", _users[sender].Token, new { clientId, text = "once" }, s_frontEnds[sender % 2]);
        var time = Stopwatch.GetElapsedTime(started);
        var problem = answer.IsSuccessStatusCode ? "" : (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("type").GetString()!.Split(':')[^1];
        return (answer.StatusCode, problem, time);
    }

    /// <summary>Stops sending, once each message under way has its answer.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _sending;
    }

    /// <summary>Compares answers, logs of the readers and database.</summary>
    /// <returns>The differences; empty for none.</returns>
    public async Task<string> FindFaultsAsync()
    {
        if (!_faults.IsEmpty) return string.Join('\n', _faults.Take(5));
        await using var connection = await cluster.OpenDatabaseAsync();
        foreach (var id in _conversations)
        {
            var log = await ReadAsync(connection, id);
            if (!log.Select(entry => entry.Seq).SequenceEqual(Enumerable.Range(1, log.Count).Select(seq => (long)seq))) return $"{id} has a gap.";
            var messages = log.Where(entry => entry.ClientId is not null).ToArray();
            foreach (var ((_, sender, clientId), (seq, _)) in _acknowledged.Where(entry => entry.Key.Conversation == id))
            {
                var stored = messages.Where(entry => entry.Sender == sender && entry.ClientId == clientId).ToArray();
                if (stored.Length != 1 || stored[0].Seq != seq) return $"{id}: {clientId} was acknowledged at {seq} and is stored {stored.Length} times, at {stored.FirstOrDefault().Seq}.";
            }

            if (messages.Length != _acknowledged.Count(entry => entry.Key.Conversation == id)) return $"{id} holds messages that were never acknowledged.";
            foreach (var sender in messages.GroupBy(entry => entry.Sender))
            {
                var numbers = sender.Select(entry => _acknowledged[(id, entry.Sender, entry.ClientId!.Value)].Number).ToArray();
                if (!numbers.SequenceEqual(numbers.Order())) return $"{id}: the messages of {sender.Key} are out of order.";
            }

            foreach (var reader in _readers)
            {
                var held = reader.LogOf(id);
                if (!held.SequenceEqual(log.Select(entry => (entry.Seq, entry.ClientId)))) return $"{id}: a reader holds {held.Length} entries, the database {log.Count}.";
            }
        }

        return "";
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _sending;
        foreach (var reader in _readers) await reader.StopAsync();
        foreach (var socket in _sockets) await socket.CloseAsync();
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task<Guid> CreateAsync((Guid Id, string Token) creator)
    {
        using var created = await SendAsync(
            HttpMethod.Post, "/conversations", creator.Token,
            new { kind = "group", title = "Group", members = _users.Select(user => user.Id).Where(id => id != creator.Id), clientId = Guid.NewGuid() });
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        return (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid();
    }

    private static async Task<List<(long Seq, Guid Sender, Guid? ClientId)>> ReadAsync(NpgsqlConnection connection, Guid id)
    {
        await using var command = new NpgsqlCommand("SELECT seq, sender_id, client_id FROM entries WHERE conversation_id = $1 ORDER BY seq", connection) { Parameters = { new() { Value = id } } };
        await using var reader = await command.ExecuteReaderAsync();
        var log = new List<(long, Guid, Guid?)>();
        while (await reader.ReadAsync()) log.Add((reader.GetInt64(0), reader.GetGuid(1), reader.IsDBNull(2) ? null : reader.GetGuid(2)));
        return log;
    }

    private async Task SendAllAsync(Guid sender, TrySend trySendAsync, Random random)
    {
        for (var number = 0; !_stop.IsCancellationRequested; number++)
        {
            var id = _conversations[number % s_conversations];
            var clientId = Guid.NewGuid();
            while (true)
            {
                // Some copies at once, over both front ends: over REST or, for every second sender, over its sockets.
                var copies = Enumerable.Range(0, random.Next(1, s_copies + 1)).Select(i => trySendAsync(id, clientId, number, frontEnd: AvoidsFirstFrontEnd ? 1 : (number + i) % 2)).ToArray();
                var seqs = (await Task.WhenAll(copies)).OfType<long>().ToArray();
                if (seqs.Length == 0)
                {
                    await Task.Delay(random.Next(50, 300), CancellationToken.None);
                    continue;
                }

                if (seqs.Distinct().Count() > 1) _faults.Enqueue($"{clientId} was answered with the seqs {string.Join(", ", seqs)}.");
                _acknowledged[(id, sender, clientId)] = (seqs[0], number);
                Interlocked.Add(ref _repeats, seqs.Length - 1);
                break;
            }

            await Task.Delay(random.Next(100, 300), CancellationToken.None);
        }
    }

    private TrySend RestOf(string token) => async (id, clientId, number, frontEnd) =>
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            using var answer = await SendAsync(HttpMethod.Post, $"/conversations/{id}/messages", token, new { clientId, text = $"{number}" }, s_frontEnds[frontEnd]);
            InterlockedMax(ref _slowestRest, Stopwatch.GetElapsedTime(started).Ticks);
            if (answer.IsSuccessStatusCode) return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("seq").GetInt64();
            if (answer.StatusCode is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests)) _faults.Enqueue($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            // The front end is gone.
        }

        return null;
    };

    private TrySend HubOf(string token)
    {
        var hubs = new HubConnection?[s_frontEnds.Length];

        // The calls of a socket wait for one another, so each is measured by itself.
        var turns = s_frontEnds.Select(_ => new SemaphoreSlim(1)).ToArray();
        for (var i = 0; i < hubs.Length; i++)
        {
            var at = i;
            var socket = new ClientSocket(cluster.AddressOf(s_frontEnds[i]), token)
            {
                OnConnected = hub =>
                {
                    hubs[at] = hub;
                    return Task.CompletedTask;
                },
            };
            lock (_sockets) _sockets.Add(socket);
            socket.Connect();
        }

        return async (id, clientId, number, frontEnd) =>
        {
            await turns[frontEnd].WaitAsync();
            var started = Stopwatch.GetTimestamp();
            try
            {
                if (hubs[frontEnd] is not { State: HubConnectionState.Connected } hub) return null;
                var seq = (await hub.InvokeAsync<JsonElement>("SendMessage", id, new { clientId, text = $"{number}" })).GetProperty("seq").GetInt64();
                InterlockedMax(ref _slowestHub, Stopwatch.GetElapsedTime(started).Ticks);
                return seq;
            }
            catch (HubException e) when (e.Message.Contains(": ", StringComparison.Ordinal))
            {
                InterlockedMax(ref _slowestHub, Stopwatch.GetElapsedTime(started).Ticks);
                string[] expected = ["unavailable", "unknown-outcome", "too-many", "server-stopping"];
                if (!expected.Any(code => e.Message.Contains(code, StringComparison.Ordinal))) _faults.Enqueue(e.Message);
            }
            catch (Exception)
            {
                // The connection is gone.
            }
            finally
            {
                turns[frontEnd].Release();
            }

            return null;
        };
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string token, object body, string frontEnd = "front-end-1")
    {
        using var request = new HttpRequestMessage(method, new Uri(cluster.AddressOf(frontEnd), path)) { Content = JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return await _http.SendAsync(request);
    }

    private static void InterlockedMax(ref long target, long value)
    {
        for (var known = Volatile.Read(ref target); known < value; known = Volatile.Read(ref target))
        {
            if (Interlocked.CompareExchange(ref target, value, known) == known) return;
        }
    }

    /// <summary>A client that holds logs: applies the next entry, drops earlier ones, fetches missing ones.</summary>
    private sealed class LogReader
    {
        private const int PageSize = 500;

        private readonly Lock _gate = new();
        private readonly HttpClient _http;
        private readonly Uri _address;
        private readonly string _token;
        private readonly Dictionary<Guid, List<(long Seq, Guid? ClientId)>> _logs;
        private readonly ClientSocket _socket;

        public LogReader(Uri address, string token, HttpClient http, IReadOnlyList<Guid> conversations)
        {
            (_address, _token, _http) = (address, token, http);
            _logs = conversations.ToDictionary(id => id, _ => new List<(long, Guid?)>());
            _socket = new(address, token) { OnConnected = OpenAllAsync };
        }

        public void Start() => _socket.Connect();

        public Task StopAsync() => _socket.CloseAsync();

        public (long Seq, Guid? ClientId)[] LogOf(Guid id)
        {
            lock (_gate) return [.. _logs[id]];
        }

        private async Task OpenAllAsync(HubConnection hub)
        {
            hub.On<JsonElement>("EntriesAdded", message =>
            {
                var id = message.GetProperty("conversationId").GetGuid();
                if (!TryApply(id, message.GetProperty("entries"))) _ = RepeatAsync(hub, () => FetchAsync(id));
            });
            hub.On<JsonElement>("Behind", message => RepeatAsync(hub, () => OpenAsync(hub, message.GetProperty("conversationId").GetGuid())));
            foreach (var id in _logs.Keys) await OpenAsync(hub, id);
        }

        /// <summary>Repeats a step while a front end cannot reach the silos, as clients do. The next connection makes up for a lost one.</summary>
        private static async Task RepeatAsync(HubConnection hub, Func<Task> step)
        {
            while (hub.State == HubConnectionState.Connected)
            {
                try
                {
                    await step();
                    return;
                }
                catch (Exception e) when (e is HubException or HttpRequestException or TaskCanceledException or InvalidOperationException)
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(500));
                }
            }
        }

        private async Task OpenAsync(HubConnection hub, Guid id)
        {
            var answer = await hub.InvokeAsync<JsonElement>("OpenConversation", id, Last(id));
            if (answer.GetProperty("tooFar").GetBoolean() || !TryApply(id, answer.GetProperty("entries"))) await FetchAsync(id);
        }

        private async Task FetchAsync(Guid id)
        {
            for (var isLast = false; !isLast;)
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_address, $"/conversations/{id}/entries?after={Last(id)}&limit={PageSize}"));
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
                using var answer = await _http.SendAsync(request);
                answer.EnsureSuccessStatusCode();
                var entries = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("entries");
                TryApply(id, entries);
                isLast = entries.GetArrayLength() < PageSize;
            }
        }

        private long Last(Guid id)
        {
            lock (_gate) return _logs[id] is [.., var last] ? last.Seq : 0;
        }

        private bool TryApply(Guid id, JsonElement entries)
        {
            lock (_gate)
            {
                var log = _logs[id];
                foreach (var entry in entries.EnumerateArray())
                {
                    var (seq, last) = (entry.GetProperty("seq").GetInt64(), log is [.., var newest] ? newest.Seq : 0);
                    if (seq <= last) continue;
                    if (seq > last + 1) return false;
                    log.Add((seq, entry.TryGetProperty("clientId", out var clientId) ? clientId.GetGuid() : null));
                }

                return true;
            }
        }
    }
}
