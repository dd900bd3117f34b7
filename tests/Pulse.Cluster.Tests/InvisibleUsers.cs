using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR.Client;
using Npgsql;

namespace Pulse.Cluster.Tests;

/// <summary>
/// Users with an invisible device, half of them with a visible one on the other front end, a watcher of all, and a client that asks for all
/// ten times a second. Records every message and every answer that shows one of them.
/// </summary>
internal sealed class InvisibleUsers : IAsyncDisposable
{
    private const int Count = 60;
    private static readonly TimeSpan s_lookInterval = TimeSpan.FromMilliseconds(100);

    private readonly LocalCluster _cluster;
    private readonly Fleet _fleet;
    private readonly Guid[] _users = [.. Enumerable.Range(0, Count).Select(_ => Guid.NewGuid())];
    private readonly ClientSocket[] _devices;
    private readonly ClientSocket _watcher;
    private readonly CancellationTokenSource _stop = new();
    private Task _looking = Task.CompletedTask;

    public InvisibleUsers(LocalCluster cluster, Fleet fleet)
    {
        (_cluster, _fleet) = (cluster, fleet);
        Uri[] frontEnds = [cluster.AddressOf("front-end-1"), cluster.AddressOf("front-end-2")];
        _devices =
        [
            .. _users.Select((id, i) => new ClientSocket(frontEnds[i % 2], cluster.Token(id, Fleet.Email(id)), "?status=invisible")),
            .. _users.Where((_, i) => i % 4 < 2).Select(id => new ClientSocket(frontEnds[(Array.IndexOf(_users, id) + 1) % 2], cluster.Token(id, Fleet.Email(id)))),
        ];
        _watcher = new(cluster.Address, cluster.Token(Guid.NewGuid(), "looker@example.com"))
        {
            OnPresence = presence => Note("a watcher was sent", presence),
            OnConnected = WatchAsync,
        };
    }

    /// <summary>The messages and answers that showed an invisible user, in words.</summary>
    public ConcurrentQueue<string> Leaks { get; } = new();

    /// <summary>The number of checked answers of <c>GET /presence</c>.</summary>
    public int Looks { get; private set; }

    public async Task StartAsync()
    {
        foreach (var id in _users)
        {
            var writer = new Writer(_fleet.Http, id, Fleet.Email(id), _cluster.Token(id, Fleet.Email(id)));
            await writer.WriteAsync();
        }

        // The invisible devices first, because a visible one by itself would rightly be shown.
        foreach (var device in _devices[..Count]) device.Connect();
        await WaitForAsync(_devices[..Count]);
        foreach (var device in _devices[Count..]) device.Connect();
        _watcher.Connect();
        await WaitForAsync([.. _devices, _watcher]);
        _looking = LookAsync(_stop.Token);
    }

    public async Task<Dictionary<Guid, DateTimeOffset?>> StoredLastSeenAsync()
    {
        await using var database = await _cluster.OpenDatabaseAsync();
        await using var command = new NpgsqlCommand("select id, last_seen from users where id = any($1)", database) { Parameters = { new() { Value = _users } } };
        await using var rows = await command.ExecuteReaderAsync();
        var found = new Dictionary<Guid, DateTimeOffset?>();
        while (await rows.ReadAsync()) found[rows.GetGuid(0)] = rows.IsDBNull(1) ? null : rows.GetFieldValue<DateTimeOffset>(1);
        return found;
    }

    public Task AllConnectedAsync() => WaitForAsync([.. _devices, _watcher]);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _looking;
        await Task.WhenAll(_devices.Append(_watcher).Select(socket => socket.CloseAsync()));
        _stop.Dispose();
    }

    private static Task<TimeSpan> WaitForAsync(ClientSocket[] sockets) => Wait.UntilAsync(
        "every device connected",
        () => Task.FromResult(sockets.Count(socket => !socket.IsConnected) is > 0 and var missing ? $"{missing} are not" : ""),
        TimeSpan.FromMinutes(2));

    private async Task WatchAsync(HubConnection hub)
    {
        foreach (var presence in await hub.InvokeAsync<JsonElement[]>("WatchPresence", _users)) Note("a watcher was answered", presence);
    }

    private async Task LookAsync(CancellationToken stop)
    {
        var token = _cluster.Token(Guid.NewGuid(), "asker@example.com");
        while (!stop.IsCancellationRequested)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/presence?ids={string.Join(',', _users)}");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            try
            {
                using var answer = await _fleet.Http.SendAsync(request, CancellationToken.None);
                if (answer.IsSuccessStatusCode)
                {
                    foreach (var presence in (await answer.Content.ReadFromJsonAsync<JsonElement[]>(CancellationToken.None))!) Note("/presence answered", presence);
                    Looks++;
                }
            }
            catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
            {
                // A front end stops: the next request goes to the other one.
            }

            await Task.Delay(s_lookInterval, CancellationToken.None);
        }
    }

    private void Note(string what, JsonElement presence)
    {
        if (presence.GetProperty("status").GetString() is not "offline" and var status)
        {
            Leaks.Enqueue($"{what} '{status}' for {presence.GetProperty("userId").GetGuid()} at {DateTimeOffset.UtcNow:O}");
        }
    }
}
