using System.Text.Json;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Pulse.Cluster.Tests;

/// <summary>
/// A client that stays connected for as long as it likes: after a loss it reconnects as a browser does, with full jitter.
/// </summary>
internal sealed class ClientSocket(Uri address, string token, string query = "")
{
    // The interval that the server asks for by default. The user would otherwise be away.
    private static readonly TimeSpan s_beatInterval = TimeSpan.FromSeconds(30);

    private readonly Lock _gate = new();
    private HubConnection? _hub;
    private Task _running = Task.CompletedTask;
    private volatile bool _isWanted;
    private volatile bool _isConnected;

    /// <summary>Whether the server has sent <c>Connected</c> and the socket has been open since.</summary>
    public bool IsConnected => _isConnected;

    /// <summary>How often it was connected.</summary>
    public int Connects { get; private set; }

    /// <summary>Called for every change that it receives.</summary>
    public Action<JsonElement>? OnPresence { get; init; }

    /// <summary>Called on every new connection.</summary>
    public Func<HubConnection, Task>? OnConnected { get; init; }

    public void Connect()
    {
        if (_isWanted) return;
        _isWanted = true;
        _running = Task.Run(StayAsync);
    }

    /// <summary>Closes it as a closed tab does.</summary>
    public async Task CloseAsync()
    {
        _isWanted = false;
        HubConnection? hub;
        lock (_gate) hub = _hub;
        try
        {
            if (hub is not null) await hub.StopAsync();
        }
        catch (ObjectDisposedException)
        {
            // It was between two connections.
        }

        await _running;
    }

    private async Task StayAsync()
    {
        for (var failures = 0; _isWanted; failures++)
        {
            if (await HoldAsync()) failures = 0;
            if (_isWanted) await Task.Delay(TimeSpan.FromSeconds(Random.Shared.NextDouble() * Math.Min(10, 1 << Math.Min(failures, 4))));
        }
    }

    private static async Task BeatAsync(HubConnection hub, Task closed)
    {
        // At different times, whenever the clients connected.
        for (var wait = s_beatInterval * Random.Shared.NextDouble(); await Task.WhenAny(closed, Task.Delay(wait)) != closed; wait = s_beatInterval)
        {
            try
            {
                await hub.InvokeAsync("Heartbeat");
            }
            catch (Exception)
            {
                // The connection is closing, or the next one may succeed.
            }
        }
    }

    private async Task<bool> HoldAsync()
    {
        var closed = new TaskCompletionSource();
        var greeted = new TaskCompletionSource();
        var builder = new HubConnectionBuilder().WithUrl(new Uri(address, $"/hubs/pulse{query}"), http =>
        {
            http.Transports = HttpTransportType.WebSockets;
            http.SkipNegotiation = true;
            http.AccessTokenProvider = () => Task.FromResult<string?>(token);
        });
        builder.Services.AddLogging(logging => logging.ClearProviders());
        await using var hub = builder.Build();
        hub.On<JsonElement>("Connected", _ => greeted.TrySetResult());
        if (OnPresence is not null) hub.On("PresenceChanged", OnPresence);
        hub.Closed += _ =>
        {
            _isConnected = false;
            closed.TrySetResult();
            return Task.CompletedTask;
        };
        lock (_gate) _hub = hub;
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            await hub.StartAsync(patience.Token);
            await Task.WhenAny(greeted.Task, closed.Task).WaitAsync(patience.Token);
            if (!greeted.Task.IsCompleted) return false;
            _isConnected = !closed.Task.IsCompleted;
            Connects++;
            _ = BeatAsync(hub, closed.Task);
            if (OnConnected is not null) await OnConnected(hub);
            if (!_isWanted) await hub.StopAsync(CancellationToken.None);
        }
        catch (Exception)
        {
            // The next attempt may succeed.
            _isConnected = false;
            return false;
        }

        await closed.Task;
        return true;
    }
}
