using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Xunit.Sdk;

namespace Pulse.Web.Tests.Presence;

/// <summary>A real SignalR client over a real connection, by default a WebSocket, and the messages that it has received.</summary>
internal sealed class HubClient : IAsyncDisposable
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    private readonly ConcurrentQueue<(string Name, JsonElement Message)> _told = new();
    private readonly SemaphoreSlim _news = new(0);
    private readonly TaskCompletionSource<Exception?> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private HubClient(Uri address, string token, string query, HttpTransportType transport)
    {
        Connection = new HubConnectionBuilder()
            .WithUrl(new Uri(address, $"/hubs/pulse{query}"), http =>
            {
                http.Transports = transport;
                http.SkipNegotiation = transport == HttpTransportType.WebSockets;
                http.AccessTokenProvider = () => Task.FromResult<string?>(token);
            })
            .Build();
        foreach (var name in new[] { "Connected", "PresenceChanged", "TokenExpiring", "SessionEnded" })
        {
            Connection.On<JsonElement>(name, message =>
            {
                _told.Enqueue((name, message));
                _news.Release();
            });
        }

        Connection.Closed += error =>
        {
            _closed.TrySetResult(error);
            return Task.CompletedTask;
        };
    }

    public HubConnection Connection { get; }

    /// <summary>Completes when either side has closed the connection.</summary>
    public Task<Exception?> Closed => _closed.Task.WaitAsync(s_bound);

    /// <summary>The names of the server's messages, in order.</summary>
    public string[] Told => [.. _told.Select(told => told.Name)];

    /// <summary>A client that has yet to connect.</summary>
    public static HubClient Create(Uri address, string token) => new(address, token, "", HttpTransportType.WebSockets);

    public static async Task<HubClient> ConnectAsync(
        Uri address, string token, string query = "", HttpTransportType transport = HttpTransportType.WebSockets)
    {
        var client = new HubClient(address, token, query, transport);
        await client.Connection.StartAsync();
        await client.NextAsync("Connected");
        return client;
    }

    /// <summary>Watches these users. Returns the hub's answer.</summary>
    public Task<JsonElement[]> WatchAsync(params Guid[] userIds) => Connection.InvokeAsync<JsonElement[]>("WatchPresence", userIds);

    /// <summary>The first message of that name that fits, from the past or the future.</summary>
    public async Task<JsonElement> NextAsync(string name, Func<JsonElement, bool>? fits = null)
    {
        using var bound = new CancellationTokenSource(s_bound);
        while (true)
        {
            foreach (var told in _told)
            {
                if (told.Name == name && (fits is null || fits(told.Message))) return told.Message;
            }

            try
            {
                await _news.WaitAsync(bound.Token);
            }
            catch (OperationCanceledException)
            {
                throw new XunitException($"Expected {name} within {s_bound.TotalSeconds} s; told so far: {string.Join(", ", _told)}.");
            }
        }
    }

    public Task<JsonElement> StatusAsync(Guid userId, string status) => NextAsync(
        "PresenceChanged", message => message.GetProperty("userId").GetGuid() == userId && message.GetProperty("status").GetString() == status);

    /// <summary>The received statuses of that user, in order.</summary>
    public string[] StatusesOf(Guid userId) =>
    [
        .. _told.Where(told => told.Name == "PresenceChanged" && told.Message.GetProperty("userId").GetGuid() == userId)
            .Select(told => told.Message.GetProperty("status").GetString()!),
    ];

    public async ValueTask DisposeAsync() => await Connection.DisposeAsync();
}
