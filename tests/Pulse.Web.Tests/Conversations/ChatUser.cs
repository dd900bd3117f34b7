using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Conversations;

/// <summary>A synced user, and the user's calls of the chat over REST.</summary>
internal sealed class ChatUser : IDisposable
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    private readonly PulseApplication _pulse;
    private readonly HttpClient _http;

    private ChatUser(PulseApplication pulse, Guid id)
    {
        (_pulse, Id, Token) = (pulse, id, TestTokens.Hs256(TestTokens.Claims(id, $"{id:N}@chat.example")));
        _http = pulse.As(Token);
    }

    public Guid Id { get; }

    public string Token { get; }

    /// <summary>A user that Pulse knows.</summary>
    public static async Task<ChatUser> SyncAsync(PulseApplication pulse, string name)
    {
        var user = new ChatUser(pulse, Guid.CreateVersion7());
        await user.DoAsync(HttpMethod.Post, "/auth/sync", new { name }, HttpStatusCode.Created);
        return user;
    }

    /// <summary>A user with a good token that was never synced.</summary>
    public static ChatUser NotSynced(PulseApplication pulse) => new(pulse, Guid.CreateVersion7());

    /// <summary>A user that exists already.</summary>
    public static ChatUser Existing(PulseApplication pulse, Guid id) => new(pulse, id);

    /// <summary>Sends a request. A body of type string is sent as it is.</summary>
    public async Task<HttpResponseMessage> CallAsync(HttpMethod method, string path, object? body = null, string contentType = "application/json")
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = new StringContent(body as string ?? JsonSerializer.Serialize(body, JsonSerializerOptions.Web), Encoding.UTF8, contentType);
        return await _http.SendAsync(request);
    }

    /// <summary>Sends a request that must succeed with that status, and reads the answer. Repeats it while Pulse is unavailable.</summary>
    public async Task<JsonObject> DoAsync(HttpMethod method, string path, object? body = null, HttpStatusCode expected = HttpStatusCode.OK)
    {
        var (answer, isRepeated) = await RepeatAsync(method, path, body, answer => answer.StatusCode == HttpStatusCode.ServiceUnavailable);
        using (answer)
        {
            // The outcome of the earlier request was unknown: it did create the resource.
            var isThere = isRepeated && expected == HttpStatusCode.Created && answer.StatusCode == HttpStatusCode.OK;
            return await answer.ReadAsync(isThere ? HttpStatusCode.OK : expected);
        }
    }

    /// <summary>Sends a request whose answer has no body. Repeats it while Pulse is unavailable.</summary>
    public async Task DoWithoutAnswerAsync(HttpMethod method, string path)
    {
        using var answer = (await RepeatAsync(method, path, null, answer => answer.StatusCode == HttpStatusCode.ServiceUnavailable)).Answer;
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    /// <summary>Sends a request that must be refused so.</summary>
    public async Task<JsonObject> RefusedAsync(HttpMethod method, string path, object? body, HttpStatusCode status, string type)
    {
        using var answer = await CallAsync(method, path, body);
        return await answer.ReadProblemAsync(status, type);
    }

    public Task<JsonObject> GetAsync(string path) => DoAsync(HttpMethod.Get, path);

    /// <summary>Creates a conversation of that kind with the others.</summary>
    public async Task<Guid> CreateAsync(string kind, params ChatUser[] others) => await CreateAsync(kind, newcomersSee: null, others);

    /// <summary>Creates a conversation of that kind with the others.</summary>
    public async Task<Guid> CreateAsync(string kind, string? newcomersSee, ChatUser[] others)
    {
        var title = kind == "direct" ? null : "Plans";
        var body = new { kind, title, members = others.Select(other => other.Id), clientId = Guid.NewGuid(), newcomersSee };
        return (Guid)(await DoAsync(HttpMethod.Post, "/conversations", body, HttpStatusCode.Created))["id"]!;
    }

    /// <summary>Sends a new message. Returns its seq.</summary>
    public async Task<long> SendAsync(Guid id, string text, params ChatUser[] mentions)
    {
        var message = new { clientId = Guid.NewGuid(), text, mentions = mentions.Select(user => user.Id) };
        return await SeqAsync(HttpMethod.Post, $"/conversations/{id}/messages", message);
    }

    public async Task<long> EditAsync(Guid id, long seq, string text, params ChatUser[] mentions) =>
        (long)(await DoAsync(HttpMethod.Patch, $"/conversations/{id}/messages/{seq}", new { text, mentions = mentions.Select(user => user.Id) }))["seq"]!;

    public async Task<long> DeleteAsync(Guid id, long seq) => (long)(await DoAsync(HttpMethod.Delete, $"/conversations/{id}/messages/{seq}"))["seq"]!;

    /// <summary>Adds a user, joins a channel, or sets a role.</summary>
    public Task<long> SetMemberAsync(Guid id, ChatUser user, string? role = null) =>
        SeqAsync(HttpMethod.Put, $"/conversations/{id}/members/{user.Id}", role is null ? null : new { role });

    public Task<long> RemoveAsync(Guid id, ChatUser user) => SeqAsync(HttpMethod.Delete, $"/conversations/{id}/members/{user.Id}");

    public async Task<JsonObject> ReadAsync(Guid id, long seq) => await DoAsync(HttpMethod.Put, $"/conversations/{id}/read", new { seq });

    public async Task<long> HeadAsync(Guid id) => (long)(await GetAsync($"/conversations/{id}"))["head"]!;

    /// <summary>What the user's inbox says of the user's own part: read, unread, mentions.</summary>
    public async Task<(long Read, int Unread, int Mentions)> YouAsync(Guid id)
    {
        var you = (await GetAsync($"/conversations/{id}"))["you"]!;
        return ((long)you["read"]!, (int)you["unread"]!, (int)you["mentions"]!);
    }

    /// <summary>The ids of the user's inbox, in order.</summary>
    public async Task<Guid[]> InboxAsync() => [.. (await GetAsync("/conversations"))["items"]!.AsArray().Select(item => (Guid)item!["id"]!)];

    /// <summary>The entries of a log from what the user may see.</summary>
    public async Task<JsonObject[]> EntriesAsync(Guid id, long after = 0) =>
        [.. (await GetAsync($"/conversations/{id}/entries?after={after}&limit=500"))["entries"]!.AsArray().Select(entry => entry!.AsObject())];

    /// <summary>Messages as history shows them.</summary>
    public async Task<JsonObject[]> MessagesAsync(Guid id) =>
        [.. (await GetAsync($"/conversations/{id}/messages?limit=100"))["items"]!.AsArray().Select(item => item!.AsObject())];

    public Task<ChatClient> ConnectAsync() => ChatClient.ConnectAsync(_pulse.Address, Token);

    public void Dispose() => _http.Dispose();

    private async Task<long> SeqAsync(HttpMethod method, string path, object? body = null)
    {
        using var answer = (await RepeatAsync(
            method, path, body, answer => answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests)).Answer;
        return (long)(await answer.ReadAsync(answer.IsSuccessStatusCode ? answer.StatusCode : HttpStatusCode.OK))["seq"]!;
    }

    // On a busy machine a commit can take longer than a call may, and quick calls are refused for their rate. A client then repeats the
    // same call, which does nothing a second time.
    private async Task<(HttpResponseMessage Answer, bool IsRepeated)> RepeatAsync(
        HttpMethod method, string path, object? body, Func<HttpResponseMessage, bool> again)
    {
        var clock = Stopwatch.StartNew();
        for (var isRepeated = false; ; isRepeated = true)
        {
            var answer = await CallAsync(method, path, body);
            if (!again(answer) || clock.Elapsed > s_bound) return (answer, isRepeated);
            answer.Dispose();
            await Task.Delay(100);
        }
    }
}
