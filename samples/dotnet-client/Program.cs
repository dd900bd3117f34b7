// A chat client for Pulse. The first name is the user, the others are contacts:
//
//   dotnet run -- ada bob
//
// Each line of the input is a message to the first contact. The program prints the presence of all contacts, and the entries of the
// user's conversations. docs/hub.md is the protocol.
using System.Collections.Concurrent;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

if (args.Length < 2)
{
    Console.Error.WriteLine("Usage: dotnet run -- YOU CONTACT [CONTACT…], with names such as ada and bob");
    return 2;
}

var pulse = new Uri(Environment.GetEnvironmentVariable("PULSE") ?? "http://localhost:5080");
using var application = new Application(pulse);
var people = new Dictionary<Guid, string>();
foreach (var name in args) people.Add(await application.FindPersonAsync(name), name);

await using var client = new ChatClient(pulse, () => application.SignInAsync(args[0]), people);
var conversation = await client.StartDirectAsync(people.Keys.ElementAt(1));
var running = client.RunAsync(conversation);
while (await Console.In.ReadLineAsync() is { } line)
{
    if (!string.IsNullOrWhiteSpace(line)) client.Send(line);
}

client.Finish();
return await running ? 0 : 1;

/// <summary>
/// Stands in for an application's own people and sign-in. In Development, Pulse issues a token for any address. A real application gets
/// tokens from its own back end.
/// </summary>
internal sealed class Application(Uri pulse) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = pulse };

    /// <summary>A new access token for that user.</summary>
    public async Task<string> SignInAsync(string name)
    {
        using var answer = await _http.PostAsJsonAsync("/auth/dev", new { email = $"{name}@example.com", name });
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<Token>())!.AccessToken;
    }

    /// <summary>The id of that user.</summary>
    public async Task<Guid> FindPersonAsync(string name)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/auth/me");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await SignInAsync(name));
        using var answer = await _http.SendAsync(request);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<Person>())!.Id;
    }

    public void Dispose() => _http.Dispose();

    private sealed record Token(string AccessToken);

    private sealed record Person(Guid Id);
}

/// <summary>
/// A user's socket, which is replaced when it is lost, the messages without an answer, and the positions in the user's conversations.
/// </summary>
/// <param name="pulse">The address of Pulse.</param>
/// <param name="getToken">Gets a new access token.</param>
/// <param name="people">The user and the watched contacts: id and name.</param>
internal sealed class ChatClient(Uri pulse, Func<Task<string>> getToken, IReadOnlyDictionary<Guid, string> people) : IAsyncDisposable
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    /// <summary>For these errors of <c>SendMessage</c>, a repetition gets the same answer.</summary>
    private static readonly HashSet<string> s_refusals =
    [
        "invalid-argument", "not-found", "not-a-member", "closed", "too-long", "read-only", "cannot-message", "client-id-reused",
    ];

    private readonly HttpClient _http = new() { BaseAddress = pulse };
    private readonly CancellationTokenSource _ending = new();

    /// <summary>Per conversation, the seq up to which the log was applied. An application stores it, together with the log.</summary>
    private readonly ConcurrentDictionary<Guid, long> _applied = new();

    /// <summary>The messages to send, oldest first. An application stores them until they are answered.</summary>
    private readonly Channel<Message> _outbox = Channel.CreateUnbounded<Message>();
    private readonly Dictionary<Guid, long> _versions = [];

    private volatile HubConnection? _live;
    private Guid _shown;
    private Guid? _logId;
    private string? _connectionId;
    private int _failures;
    private bool _mayReconnect = true;

    /// <summary>The direct conversation with that user. For a pair of users there is only one.</summary>
    public async Task<Guid> StartDirectAsync(Guid userId)
    {
        var body = new { kind = "direct", members = new[] { userId }, clientId = Guid.NewGuid() };
        using var answer = await RequestAsync(HttpMethod.Post, "/conversations", body);
        return (await answer.Content.ReadFromJsonAsync<Conversation>())!.Id;
    }

    /// <summary>Takes a message to the shown conversation. The client sends it now, or when it has a connection.</summary>
    public void Send(string text) => _outbox.Writer.TryWrite(new Message(Guid.NewGuid(), text));

    /// <summary>Ends <see cref="RunAsync"/> when all messages are answered.</summary>
    public void Finish() => _outbox.Writer.TryComplete();

    /// <summary>Stays connected, with that conversation on the screen.</summary>
    /// <returns><see langword="false"/> if Pulse has ended the session, for example because the user was removed.</returns>
    public async Task<bool> RunAsync(Guid shown)
    {
        _shown = shown;
        _applied.TryAdd(shown, 0);
        var connecting = StayConnectedAsync();
        await Task.WhenAny(connecting, SendAllAsync());
        await _ending.CancelAsync();
        await connecting;
        return _mayReconnect;
    }

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        _ending.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task StayConnectedAsync()
    {
        while (_mayReconnect && !_ending.IsCancellationRequested)
        {
            try
            {
                // A new object for each connection, because the address names the former connection.
                await using var hub = BuildHub();
                var closed = new TaskCompletionSource();
                hub.Closed += _ => Task.FromResult(closed.TrySetResult());
                await hub.StartAsync(_ending.Token);
                await closed.Task.WaitAsync(_ending.Token);
                Console.WriteLine("* The connection is lost.");
            }
            catch (Exception fault)
            {
                // At the end of the program, or while Pulse is unreachable or refuses connections.
                if (!_ending.IsCancellationRequested) Console.WriteLine($"* No connection: {fault.Message}");
            }

            // The random part keeps the clients of a restarted Pulse from coming back at the same moment.
            var longest = TimeSpan.FromSeconds(Math.Min(30, Math.Pow(2, _failures++)));
            await PauseAsync(longest * Random.Shared.NextDouble());
        }
    }

    private HubConnection BuildHub()
    {
        var hub = new HubConnectionBuilder()
            .WithUrl(new Uri(pulse, $"/hubs/pulse?status=online&previous={_connectionId}"), options =>
            {
                // The client skips negotiation, so the connection is one request, which any front end can serve.
                options.Transports = HttpTransportType.WebSockets;
                options.SkipNegotiation = true;
                options.AccessTokenProvider = async () => await getToken();
            })
            .Build();

        // The SignalR client runs these handlers one after another, each to its end, so entries stay in order.
        hub.On<Greeting>("Connected", greeting => RecoverAsync(hub, greeting));
        hub.On<Presence>("PresenceChanged", Show);
        hub.On<Run>("EntriesAdded", run => RepeatAsync(hub, () =>
            ApplyAsync(run.ConversationId, run.Entries, isIncomplete: run.From > _applied[run.ConversationId] + 1)));
        hub.On<Inbox>("InboxChanged", inbox => RepeatAsync(hub, () => SyncAsync(hub, inbox.Conversations)));
        hub.On<Closed>("Behind", _ => RepeatAsync(hub, () => OpenAsync(hub)));
        hub.On<Closed>("ConversationGone", gone => Console.WriteLine($"* Removed from {gone.ConversationId}."));
        hub.On<Expiry>("TokenExpiring", expiry => RepeatAsync(hub, async () =>
        {
            await hub.InvokeAsync("Reauthenticate", await getToken());
            Console.WriteLine($"* The token is renewed, {expiry.SecondsLeft} s before its end.");
        }));
        hub.On<SessionEnd>("SessionEnded", end =>
        {
            _mayReconnect = end.MayReconnect;
            Console.WriteLine($"* Pulse closes the connection: {end.Reason}.");
        });
        return hub;
    }

    /// <summary>Restores on a new connection what ended with the former one, and fetches what the client missed.</summary>
    private async Task RecoverAsync(HubConnection hub, Greeting greeting)
    {
        _connectionId = greeting.ConnectionId;

        // The greeting can come before StartAsync returns, and the hub accepts calls only then.
        while (hub.State == HubConnectionState.Connecting) await PauseAsync(TimeSpan.FromMilliseconds(10));

        // After a restored backup, the stored logs are not those of the database.
        if (_logId is not null && greeting.LogId is not null && _logId != greeting.LogId)
        {
            foreach (var id in _applied.Keys) _applied[id] = 0;
        }

        _logId = greeting.LogId ?? _logId;
        await RepeatAsync(hub, async () =>
        {
            _versions.Clear();
            foreach (var presence in await hub.InvokeAsync<Presence[]>("WatchPresence", people.Keys)) Show(presence);

            using var answer = await RequestAsync(HttpMethod.Get, "/conversations?limit=100");
            await SyncAsync(hub, (await answer.Content.ReadFromJsonAsync<ConversationPage>())!.Items);
            await OpenAsync(hub);

            _failures = 0;
            _live = hub;
            Console.WriteLine("* Connected.");
        });
        _ = BeatAsync(hub, TimeSpan.FromSeconds(greeting.HeartbeatSeconds));
    }

    /// <summary>Fetches new entries of the conversations that are not on the screen.</summary>
    private async Task SyncAsync(HubConnection hub, IReadOnlyList<Conversation> conversations)
    {
        // The client shows a conversation that is new to it from the first unread entry.
        foreach (var conversation in conversations) _applied.TryAdd(conversation.Id, conversation.You.Read);

        var positions = _applied.Where(one => one.Key != _shown).Select(one => new Position(one.Key, one.Value, one.Value));
        foreach (var batch in positions.Chunk(200))
        {
            foreach (var log in await hub.InvokeAsync<Log[]>("SyncConversations", batch))
            {
                if (log.Gone) _applied.TryRemove(log.Id, out _);
                else await ApplyAsync(log);
            }
        }
    }

    /// <summary>Opens the shown conversation. From now on Pulse sends its entries.</summary>
    private async Task OpenAsync(HubConnection hub)
    {
        var log = await hub.InvokeAsync<Log>("OpenConversation", _shown, _applied[_shown]);
        await ApplyAsync(log with { Id = _shown });
    }

    private Task ApplyAsync(Log log)
    {
        if (log.Reset) _applied[log.Id] = 0;
        return ApplyAsync(log.Id, log.Entries, isIncomplete: log.Reset || log.TooFar);
    }

    /// <summary>Applies the entries that follow the applied ones. If entries between them are missing, fetches all from there on.</summary>
    private async Task ApplyAsync(Guid id, IReadOnlyList<Entry> entries, bool isIncomplete)
    {
        while (isIncomplete)
        {
            using var answer = await RequestAsync(HttpMethod.Get, $"/conversations/{id}/entries?after={_applied[id]}&limit=500");
            entries = (await answer.Content.ReadFromJsonAsync<EntryPage>())!.Entries;
            isIncomplete = entries.Count > 0;
            Apply();
        }

        Apply();

        void Apply()
        {
            foreach (var entry in entries.Where(entry => entry.Seq > _applied[id]))
            {
                _applied[id] = entry.Seq;
                var place = id == _shown ? "" : $"[{id}] ";
                var text = entry.Kind == "message" ? entry.Text ?? "(deleted)" : $"({entry.Kind})";
                Console.WriteLine($"{place}#{entry.Seq} {people.GetValueOrDefault(entry.SenderId, "?")}: {text}");
            }
        }
    }

    /// <summary>Of two presences of a user the one with the higher version counts. Version 0 always counts.</summary>
    private void Show(Presence presence)
    {
        if (presence.Version != 0 && presence.Version <= _versions.GetValueOrDefault(presence.UserId, -1)) return;
        _versions[presence.UserId] = presence.Version;
        Console.WriteLine($"* {people.GetValueOrDefault(presence.UserId, "?")} is {presence.Status}.");
    }

    private async Task SendAllAsync()
    {
        // One at a time, so that the messages keep their order.
        await foreach (var message in _outbox.Reader.ReadAllAsync(_ending.Token))
        {
            while (!await TrySendAsync(message)) await PauseAsync(s_pause);
        }
    }

    /// <summary>Whether the message was answered. The client id makes a repetition harmless, because Pulse stores it once.</summary>
    private async Task<bool> TrySendAsync(Message message)
    {
        _ending.Token.ThrowIfCancellationRequested();
        if (_live is not { State: HubConnectionState.Connected } hub) return false;
        try
        {
            var (clientId, text) = message;
            await hub.InvokeAsync("SendMessage", _shown, new { clientId, text, read = _applied[_shown] });
            return true;
        }
        catch (HubException error) when (s_refusals.Contains(error.Message.Split(':')[0]))
        {
            Console.WriteLine($"* Not sent: {message.Text} ({error.Message})");
            return true;
        }
        catch (Exception)
        {
            // The connection was lost, or Pulse asks for a repetition.
            return false;
        }
    }

    /// <summary>Reports an active user. A client with a user interface does so only while it is in use.</summary>
    private async Task BeatAsync(HubConnection hub, TimeSpan interval)
    {
        while (hub.State == HubConnectionState.Connected && !_ending.IsCancellationRequested)
        {
            await PauseAsync(interval);
            await hub.SendAsync("Heartbeat").ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    /// <summary>Repeats the step until it succeeds or the connection is lost. The next connection then makes it up.</summary>
    private async Task RepeatAsync(HubConnection hub, Func<Task> step)
    {
        while (hub.State == HubConnectionState.Connected)
        {
            try
            {
                await step();
                return;
            }
            catch (Exception fault) when (!_ending.IsCancellationRequested)
            {
                Console.WriteLine($"* Repeats: {fault.Message}");
                await PauseAsync(s_pause);
            }
        }
    }

    private async Task<HttpResponseMessage> RequestAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await getToken());
        var answer = await _http.SendAsync(request, _ending.Token);
        answer.EnsureSuccessStatusCode();
        return answer;
    }

    private Task PauseAsync(TimeSpan time) => Task.Delay(time, _ending.Token).ContinueWith(_ => { }, TaskScheduler.Default);

    private sealed record Message(Guid ClientId, string Text);

    private sealed record Greeting(string ConnectionId, int HeartbeatSeconds, Guid? LogId);

    private sealed record Presence(Guid UserId, string Status, long Version);

    private sealed record Entry(long Seq, string Kind, Guid SenderId, string? Text);

    private sealed record Run(Guid ConversationId, long From, IReadOnlyList<Entry> Entries);

    /// <summary>An answer of <c>SyncConversations</c> or <c>OpenConversation</c>.</summary>
    private sealed record Log(Guid Id, IReadOnlyList<Entry> Entries, bool TooFar, bool Gone, bool Reset);

    private sealed record Position(Guid Id, long Seq, long Read);

    private sealed record EntryPage(IReadOnlyList<Entry> Entries);

    private sealed record You(long Read);

    private sealed record Conversation(Guid Id, You You);

    private sealed record ConversationPage(IReadOnlyList<Conversation> Items);

    private sealed record Inbox(IReadOnlyList<Conversation> Conversations);

    private sealed record Closed(Guid ConversationId);

    private sealed record Expiry(int SecondsLeft);

    private sealed record SessionEnd(string Reason, bool MayReconnect);
}
