using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR.Client;
using Npgsql;

namespace Pulse.Cluster.Tests;

/// <summary>
/// Users that send messages through both front ends while processes die, readers that keep a log as a client does, and a checker that compares both
/// with the database.
/// </summary>
internal sealed class Talk(LocalCluster cluster) : IAsyncDisposable
{
    private const int Users = 8;
    private const int Conversations = 4;

    private static readonly string[] s_frontEnds = ["front-end-1", "front-end-2"];

    private readonly HttpClient _http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(10) }) { Timeout = TimeSpan.FromSeconds(30) };
    private readonly CancellationTokenSource _stop = new();
    private readonly (Guid Id, string Token)[] _users = [.. Enumerable.Range(0, Users).Select(_ => Guid.NewGuid()).Select(id => (id, cluster.Token(id, $"{id:N}@example.com")))];
    private readonly List<Guid> _conversations = [];
    private readonly List<LogReader> _readers = [];
    private readonly ConcurrentDictionary<(Guid Conversation, Guid Sender, Guid ClientId), (long Seq, int Number)> _acknowledged = new();
    private readonly ConcurrentQueue<string> _faults = new();
    private Task _sending = Task.CompletedTask;
    private long _slowestTicks;
    private int _repeats;

    /// <summary>How many messages were acknowledged.</summary>
    public int Acknowledged => _acknowledged.Count;

    /// <summary>How many repetitions were answered.</summary>
    public int Repeats => _repeats;

    /// <summary>The longest time from a request to its answer.</summary>
    public TimeSpan Slowest => TimeSpan.FromTicks(Volatile.Read(ref _slowestTicks));

    /// <summary>Creates the conversations, opens them on a reader at each front end, and begins to send.</summary>
    public async Task StartAsync()
    {
        foreach (var (id, token) in _users)
        {
            using var synced = await SendAsync(HttpMethod.Post, "/auth/sync", token, new { email = $"{id:N}@example.com", name = "Talker" });
            synced.EnsureSuccessStatusCode();
        }

        for (var i = 0; i < Conversations; i++)
        {
            using var created = await SendAsync(
                HttpMethod.Post, "/conversations", _users[0].Token,
                new { kind = "group", title = $"Group {i}", members = _users.Skip(1).Select(user => user.Id), clientId = Guid.NewGuid() });
            Assert.Equal(HttpStatusCode.Created, created.StatusCode);
            _conversations.Add((await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetGuid());
        }

        foreach (var (frontEnd, user) in s_frontEnds.Zip(_users))
        {
            var reader = new LogReader(cluster.AddressOf(frontEnd), user.Token, _http, _conversations);
            _readers.Add(reader);
            reader.Start();
        }

        _sending = Task.WhenAll(_users.Select((user, i) => Task.Run(() => SendAllAsync(user.Id, user.Token, new(i)))));
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
        _http.Dispose();
        _stop.Dispose();
    }

    private static async Task<List<(long Seq, Guid Sender, Guid? ClientId)>> ReadAsync(NpgsqlConnection connection, Guid id)
    {
        await using var command = new NpgsqlCommand("SELECT seq, sender_id, client_id FROM entries WHERE conversation_id = $1 ORDER BY seq", connection) { Parameters = { new() { Value = id } } };
        await using var reader = await command.ExecuteReaderAsync();
        var log = new List<(long, Guid, Guid?)>();
        while (await reader.ReadAsync()) log.Add((reader.GetInt64(0), reader.GetGuid(1), reader.IsDBNull(2) ? null : reader.GetGuid(2)));
        return log;
    }

    private async Task SendAllAsync(Guid sender, string token, Random random)
    {
        for (var number = 0; !_stop.IsCancellationRequested; number++)
        {
            var id = _conversations[number % Conversations];
            var clientId = Guid.NewGuid();
            while (true)
            {
                // Up to three copies at once, over both front ends.
                var copies = Enumerable.Range(0, random.Next(1, 4)).Select(i => TrySendAsync(id, token, clientId, number, s_frontEnds[(number + i) % 2])).ToArray();
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

    private async Task<long?> TrySendAsync(Guid id, string token, Guid clientId, int number, string frontEnd)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            using var answer = await SendAsync(HttpMethod.Post, $"/conversations/{id}/messages", token, new { clientId, text = $"{number}" }, frontEnd);
            InterlockedMax(ref _slowestTicks, Stopwatch.GetElapsedTime(started).Ticks);
            if (answer.IsSuccessStatusCode) return (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("seq").GetInt64();
            if (answer.StatusCode is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests)) _faults.Enqueue($"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            // The front end is gone.
        }

        return null;
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
                if (!TryApply(id, message.GetProperty("entries"))) _ = FetchAsync(id);
            });
            hub.On<JsonElement>("Behind", message => OpenAsync(hub, message.GetProperty("conversationId").GetGuid()));
            foreach (var id in _logs.Keys) await OpenAsync(hub, id);
        }

        private async Task OpenAsync(HubConnection hub, Guid id)
        {
            var answer = await hub.InvokeAsync<JsonElement>("OpenConversation", id, Last(id));
            if (answer.GetProperty("tooFar").GetBoolean() || !TryApply(id, answer.GetProperty("entries"))) await FetchAsync(id);
        }

        private async Task FetchAsync(Guid id)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(_address, $"/conversations/{id}/entries?after={Last(id)}&limit=500"));
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
            using var answer = await _http.SendAsync(request);
            if (answer.IsSuccessStatusCode) TryApply(id, (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("entries"));
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
