using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Xunit.Sdk;

namespace Pulse.Web.Tests.Conversations;

/// <summary>A real SignalR client over a WebSocket, and what it has received of the chat.</summary>
internal sealed class ChatClient : IAsyncDisposable
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    private readonly Lock _lock = new();
    private readonly List<(string Name, JsonElement Message)> _received = [];
    private TaskCompletionSource _news = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ChatClient(Uri address, string token)
    {
        Connection = new HubConnectionBuilder()
            .WithUrl(new Uri(address, "/hubs/pulse"), http =>
            {
                http.Transports = HttpTransportType.WebSockets;
                http.SkipNegotiation = true;
                http.AccessTokenProvider = () => Task.FromResult<string?>(token);
            })
            .Build();
        foreach (var name in new[] { "Connected", "EntriesAdded", "InboxChanged", "ReadChanged", "TypingChanged", "Behind", "ConversationGone" })
        {
            Connection.On<JsonElement>(name, message =>
            {
                lock (_lock)
                {
                    _received.Add((name, message));
                    _news.TrySetResult();
                    _news = new(TaskCreationOptions.RunContinuationsAsynchronously);
                }
            });
        }
    }

    public HubConnection Connection { get; }

    public static async Task<ChatClient> ConnectAsync(Uri address, string token)
    {
        var client = new ChatClient(address, token);
        await client.Connection.StartAsync();
        await client.NextAsync("Connected");
        return client;
    }

    /// <summary>Calls a method of the hub. Repeats the call while Pulse is unavailable, which does nothing a second time.</summary>
    public async Task<JsonElement> CallAsync(string method, params object?[] arguments)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return await Connection.InvokeCoreAsync<JsonElement>(method, arguments);
            }
            catch (HubException e) when (IsUnavailable(e) && clock.Elapsed < s_bound)
            {
                await Task.Delay(100);
            }
        }

        // On a busy machine a commit can take longer than a call may.
        static bool IsUnavailable(HubException e) =>
            e.Message.StartsWith("unavailable: ", StringComparison.Ordinal) || e.Message.StartsWith("unknown-outcome: ", StringComparison.Ordinal);
    }

    public Task DoAsync(string method, params object?[] arguments) => Connection.InvokeCoreAsync(method, arguments);

    /// <summary>The call must be refused with that code.</summary>
    public async Task RefusedAsync(string code, string method, params object?[] arguments)
    {
        var refused = await Assert.ThrowsAsync<HubException>(() => DoAsync(method, arguments));
        Assert.StartsWith($"{code}: ", refused.Message, StringComparison.Ordinal);
        Assert.True(refused.Message.Length > code.Length + 10, $"No sentence follows the code: {refused.Message}");
    }

    public Task<JsonElement> OpenAsync(Guid id, long after = 0) => CallAsync("OpenConversation", id, after);

    /// <summary>The answers of <c>SyncConversations</c> to what the client has of each.</summary>
    public Task<JsonElement> SyncAsync(params (Guid Id, long Seq)[] items) => CallAsync("SyncConversations", [items.Select(item => new { item.Id, item.Seq, Read = 0 })]);

    public async Task<long> SendAsync(Guid id, string text) =>
        (await CallAsync("SendMessage", id, new { clientId = Guid.NewGuid(), text })).GetProperty("seq").GetInt64();

    /// <summary>All received messages of that name about that conversation, in order.</summary>
    public JsonElement[] Received(string name, Guid id)
    {
        lock (_lock) return [.. _received.Where(told => told.Name == name && IsAbout(told.Message, id)).Select(told => told.Message)];
    }

    /// <summary>The names of all messages about that conversation, in order.</summary>
    public string[] Names(Guid id)
    {
        lock (_lock) return [.. _received.Where(told => IsAbout(told.Message, id)).Select(told => told.Name)];
    }

    /// <summary>The received entries of that conversation, in order.</summary>
    public JsonElement[] Entries(Guid id) => [.. Received("EntriesAdded", id).SelectMany(message => message.GetProperty("entries").EnumerateArray())];

    /// <summary>The seqs of the received entries, in order.</summary>
    public long[] Seqs(Guid id) => [.. Entries(id).Select(entry => entry.GetProperty("seq").GetInt64())];

    /// <summary>Waits until that entry has arrived.</summary>
    public Task UntilAsync(Guid id, long seq) => UntilAsync($"entry {seq}", () => Seqs(id).Contains(seq));

    /// <summary>The first message of that name that fits, from the past or the future.</summary>
    public async Task<JsonElement> NextAsync(string name, Func<JsonElement, bool>? fits = null)
    {
        JsonElement? found = null;
        await UntilAsync(name, () =>
        {
            lock (_lock)
            {
                foreach (var told in _received)
                {
                    if (told.Name != name || !(fits?.Invoke(told.Message) ?? true)) continue;
                    found = told.Message;
                    return true;
                }
            }

            return false;
        });
        return found!.Value;
    }

    /// <summary>The first <c>InboxChanged</c> item of that conversation that fits.</summary>
    public async Task<JsonElement> InboxAsync(Guid id, Func<JsonElement, bool>? fits = null)
    {
        var message = await NextAsync("InboxChanged", told => ItemOf(told) is { } item && (fits?.Invoke(item) ?? true));
        return ItemOf(message)!.Value;

        JsonElement? ItemOf(JsonElement told) => told.GetProperty("conversations").EnumerateArray().Where(item => item.GetProperty("id").GetGuid() == id)
            .Select(item => (JsonElement?)item).FirstOrDefault();
    }

    public async ValueTask DisposeAsync() => await Connection.DisposeAsync();

    private static bool IsAbout(JsonElement message, Guid id) => message.TryGetProperty("conversationId", out var about)
        ? about.GetGuid() == id
        : message.TryGetProperty("conversations", out var items) && items.EnumerateArray().Any(item => item.GetProperty("id").GetGuid() == id);

    private async Task UntilAsync(string what, Func<bool> isThere)
    {
        using var bound = new CancellationTokenSource(s_bound);
        while (true)
        {
            Task news;
            lock (_lock) news = _news.Task;
            if (isThere()) return;
            try
            {
                await news.WaitAsync(bound.Token);
            }
            catch (OperationCanceledException)
            {
                lock (_lock) throw new XunitException($"Expected {what} within {s_bound.TotalSeconds} s; received: {string.Join("\n", _received)}.");
            }
        }
    }
}
