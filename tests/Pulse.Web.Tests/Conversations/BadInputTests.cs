using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Conversations;

/// <summary>Bad input over REST and the hub: the code of the contract, nothing written, no seq used up.</summary>
[Collection(SharedPulse.Name)]
public sealed class BadInputTests(PulseApplication pulse) : IAsyncLifetime
{
    private static readonly HttpMethod s_get = HttpMethod.Get;
    private static readonly HttpMethod s_post = HttpMethod.Post;
    private static readonly HttpMethod s_put = HttpMethod.Put;
    private static readonly HttpMethod s_patch = HttpMethod.Patch;
    private static readonly HttpMethod s_delete = HttpMethod.Delete;

    private static readonly Dictionary<string, Case> s_cases = new()
    {
        ["send: no text"] = Send(400, "invalid-argument", _ => new { clientId = Guid.NewGuid() }),
        ["send: empty text"] = Send(400, "invalid-argument", _ => Message("")),
        ["send: blank text"] = Send(400, "invalid-argument", _ => Message(" \n\t\u00a0 ")),
        ["send: text over the limit"] = Send(413, "too-long", _ => Message(new string('x', 8_001))),
        ["send: control character"] = Send(400, "invalid-argument", _ => Message("a\u0001b")),
        ["send: later control character"] = Send(400, "invalid-argument", _ => Message("a\u0085b")),
        ["send: lone surrogate"] = Send(400, "invalid-argument", _ => $$"""{"clientId":"{{Guid.NewGuid()}}","text":"\ud800"}"""),
        ["send: no client id"] = Send(400, "invalid-argument", _ => new { text = "x" }),
        ["send: client id that is no UUID"] = Send(400, "invalid-argument", _ => new { clientId = "seven", text = "x" }),
        ["send: client id reused with another text"] = Send(409, "client-id-reused", scene => new { clientId = scene.FirstClientId, text = "another" }),
        ["send: client id reused with another reply"] = Send(409, "client-id-reused", scene => new { clientId = scene.FirstClientId, text = "first", replyTo = 3 }),
        ["send: client id reused with mentions"] = Send(
            409, "client-id-reused", scene => new { clientId = scene.FirstClientId, text = "first", mentions = new[] { scene.Bob.Id } }),
        ["send: unknown predecessor"] = Send(409, "predecessor-missing", _ => new { clientId = Guid.NewGuid(), text = "x", after = Guid.NewGuid() }),
        ["send: another sender's predecessor"] = Send(
            409, "predecessor-missing", scene => new { clientId = Guid.NewGuid(), text = "x", after = scene.FirstClientId }, scene => scene.Bob),
        ["send: predecessor that is no UUID"] = Send(400, "invalid-argument", _ => new { clientId = Guid.NewGuid(), text = "x", after = "x" }),
        ["send: reply to a later entry"] = Send(400, "invalid-argument", _ => new { clientId = Guid.NewGuid(), text = "x", replyTo = 99 }),
        ["send: reply to an entry that is no message"] = Send(400, "invalid-argument", _ => new { clientId = Guid.NewGuid(), text = "x", replyTo = 1 }),
        ["send: reply to 0"] = Send(400, "invalid-argument", _ => new { clientId = Guid.NewGuid(), text = "x", replyTo = 0 }),
        ["send: reply to -1"] = Send(400, "invalid-argument", _ => new { clientId = Guid.NewGuid(), text = "x", replyTo = -1 }),
        ["send: mention of a stranger"] = Send(
            400, "invalid-argument", scene => new { clientId = Guid.NewGuid(), text = "x", mentions = new[] { scene.Carol.Id } }),
        ["send: 51 mentions"] = Send(
            400, "invalid-argument", _ => new { clientId = Guid.NewGuid(), text = "x", mentions = Enumerable.Range(0, 51).Select(_ => Guid.NewGuid()) }),
        ["send: mention that is no UUID"] = Send(400, "invalid-argument", _ => new { clientId = Guid.NewGuid(), text = "x", mentions = new[] { "ada" } }),
        ["send: negative marker"] = Send(400, "invalid-argument", _ => new { clientId = Guid.NewGuid(), text = "x", read = -1 }),
        ["send: unknown member"] = Send(400, "invalid-argument", _ => $$"""{"clientId":"{{Guid.NewGuid()}}","text":"x","txt":1}"""),
        ["send: member twice"] = Send(400, "invalid-argument", _ => $$"""{"clientId":"{{Guid.NewGuid()}}","text":"x","text":"y"}"""),
        ["send: no object"] = Send(400, "invalid-argument", _ => "[]"),
        ["send: null"] = Send(400, "invalid-argument", _ => "null"),
        ["send: no JSON"] = Send(400, "invalid-argument", _ => "{"),
        ["send: body too large"] = Send(413, "too-large", _ => $$"""{"clientId":"{{Guid.NewGuid()}}","text":"{{new string('x', 70_000)}}"}"""),
        ["send: unknown conversation"] = At(404, "not-found", s_post, _ => $"/conversations/{Guid.NewGuid()}/messages", Message("x"), "SendMessage", _ => [Guid.NewGuid(), Message("x")]),
        ["send: conversation id that is no UUID"] = At(404, "not-found", s_post, _ => "/conversations/7/messages", Message("x"), "SendMessage", _ => ["7", Message("x")]),

        ["edit: blank"] = Edit(400, "invalid-argument", "2", new { text = " " }),
        ["edit: too long"] = Edit(413, "too-long", "2", new { text = new string('x', 8_001) }),
        ["edit: another's message"] = Edit(403, "not-yours", "3", new { text = "x" }),
        ["edit: deleted message"] = Edit(404, "not-found", "4", new { text = "x" }),
        ["edit: no message"] = Edit(404, "not-found", "1", new { text = "x" }),
        ["edit: past head"] = Edit(404, "not-found", "99", new { text = "x" }),
        ["edit: seq 0"] = Edit(400, "invalid-argument", "0", new { text = "x" }),
        ["edit: seq -1"] = Edit(400, "invalid-argument", "-1", new { text = "x" }),
        ["edit: seq no number"] = Edit(400, "invalid-argument", "two", new { text = "x" }),
        ["edit: seq beyond all numbers"] = Edit(400, "invalid-argument", "99999999999999999999", new { text = "x" }),
        ["edit: not the newest edit"] = Edit(409, "edit-conflict", "2", new { text = "x", edited = 3 }),
        ["edit: negative edit"] = Edit(400, "invalid-argument", "2", new { text = "x", edited = -1 }),
        ["edit: mention of a stranger"] = AtWith(
            400, "invalid-argument", s_patch, scene => $"/conversations/{scene.Group}/messages/2", scene => new { text = "x", mentions = new[] { scene.Carol.Id } },
            "EditMessage", scene => [scene.Group, 2, new { text = "x", mentions = new[] { scene.Carol.Id } }]),

        ["delete: another's message as a member"] = At(
            403, "not-yours", s_delete, scene => $"/conversations/{scene.Group}/messages/2", null, "DeleteMessage", scene => [scene.Group, 2], scene => scene.Bob),
        ["delete: another's message in a direct conversation"] = At(
            403, "not-yours", s_delete, scene => $"/conversations/{scene.Direct}/messages/2", null, "DeleteMessage", scene => [scene.Direct, 2], scene => scene.Bob),
        ["delete: no message"] = Delete(404, "not-found", "1"),
        ["delete: past head"] = Delete(404, "not-found", "99"),
        ["delete: seq 0"] = Delete(400, "invalid-argument", "0"),
        ["delete: seq no number"] = Delete(400, "invalid-argument", "x"),

        ["react: two graphemes"] = React(400, "invalid-argument", 2, "ab"),
        ["react: blank"] = React(400, "invalid-argument", 2, " "),
        ["react: control character"] = React(400, "invalid-argument", 2, "\u0007"),
        ["react: grapheme over 32 bytes"] = React(400, "invalid-argument", 2, "e" + new string('\u0301', 20)),
        ["react: deleted message"] = React(404, "not-found", 4, "👍"),
        ["react: no message"] = React(404, "not-found", 1, "👍"),
        ["react: past head"] = React(404, "not-found", 99, "👍"),
        ["react: seq 0"] = React(400, "invalid-argument", 0, "👍"),

        ["read: negative"] = Read(400, "invalid-argument", new { seq = -1 }, -1),
        ["read: past head"] = Read(400, "invalid-argument", new { seq = 99 }, 99),
        ["read: missing"] = Read(400, "invalid-argument", new { }, null),
        ["read: no number"] = Read(400, "invalid-argument", new { seq = "x" }, null),

        ["history: limit 0"] = Get("messages?limit=0"),
        ["history: limit 101"] = Get("messages?limit=101"),
        ["history: limit no number"] = Get("messages?limit=x"),
        ["history: before no number"] = Get("messages?before=x"),
        ["history: after negative"] = Get("messages?after=-1"),
        ["history: before and after"] = Get("messages?before=5&after=2"),
        ["entries: limit 501"] = Get("entries?limit=501"),
        ["entries: after negative"] = Get("entries?after=-1"),
        ["entries: after no number"] = Get("entries?after=1.5"),
        ["members: cursor"] = Get("members?after=x"),
        ["inbox: cursor"] = At(400, "invalid-argument", s_get, _ => "/conversations?before=x", null),
        ["inbox: limit"] = At(400, "invalid-argument", s_get, _ => "/conversations?limit=101", null),

        ["create: no kind"] = Create(400, "invalid-argument", scene => new { title = "x", members = new[] { scene.Carol.Id }, clientId = Guid.NewGuid() }),
        ["create: unknown kind"] = Create(400, "invalid-argument", scene => new { kind = "party", title = "x", members = new[] { scene.Carol.Id }, clientId = Guid.NewGuid() }),
        ["create: no client id"] = Create(400, "invalid-argument", scene => new { kind = "group", title = "x", members = new[] { scene.Carol.Id } }),
        ["create: client id reused"] = Create(409, "client-id-reused", scene => new { kind = "group", title = "Other", members = new[] { scene.Bob.Id }, clientId = scene.GroupClientId }),
        ["create: group without title"] = Create(400, "invalid-argument", scene => new { kind = "group", members = new[] { scene.Carol.Id }, clientId = Guid.NewGuid() }),
        ["create: title with a line break"] = Create(
            400, "invalid-argument", scene => new { kind = "group", title = "a\nb", members = new[] { scene.Carol.Id }, clientId = Guid.NewGuid() }),
        ["create: title too long"] = Create(
            400, "invalid-argument", scene => new { kind = "group", title = new string('x', 201), members = new[] { scene.Carol.Id }, clientId = Guid.NewGuid() }),
        ["create: member twice"] = Create(
            400, "invalid-argument", scene => new { kind = "group", title = "x", members = new[] { scene.Bob.Id, scene.Bob.Id }, clientId = Guid.NewGuid() }),
        ["create: caller as member"] = Create(
            400, "invalid-argument", scene => new { kind = "group", title = "x", members = new[] { scene.Ada.Id }, clientId = Guid.NewGuid() }),
        ["create: member that does not exist"] = Create(
            404, "user-not-found", _ => new { kind = "group", title = "x", members = new[] { Guid.NewGuid() }, clientId = Guid.NewGuid() }),
        ["create: member that is no UUID"] = Create(400, "invalid-argument", _ => new { kind = "group", title = "x", members = new[] { "bob" }, clientId = Guid.NewGuid() }),
        ["create: direct with oneself"] = Create(400, "invalid-argument", scene => new { kind = "direct", members = new[] { scene.Ada.Id }, clientId = Guid.NewGuid() }),
        ["create: direct with three"] = Create(
            400, "invalid-argument", scene => new { kind = "direct", members = new[] { scene.Bob.Id, scene.Carol.Id }, clientId = Guid.NewGuid() }),
        ["create: direct with nobody"] = Create(400, "invalid-argument", _ => new { kind = "direct", members = Array.Empty<Guid>(), clientId = Guid.NewGuid() }),
        ["create: direct with a user that does not exist"] = Create(
            404, "user-not-found", _ => new { kind = "direct", members = new[] { Guid.NewGuid() }, clientId = Guid.NewGuid() }),
        ["create: rule that does not exist"] = Create(
            400, "invalid-argument", scene => new { kind = "group", title = "x", members = new[] { scene.Bob.Id }, clientId = Guid.NewGuid(), newcomersSee = "much" }),

        ["change: nothing"] = Change(400, "invalid-argument", new { }),
        ["change: blank title"] = Change(400, "invalid-argument", new { title = " " }),
        ["change: rule that does not exist"] = Change(400, "invalid-argument", new { newcomersSee = "much" }),
        ["change: title as a member"] = Change(403, "not-yours", new { title = "Mine" }, scene => scene.Bob),
        ["close: as a member"] = At(403, "not-yours", s_delete, scene => $"/conversations/{scene.Group}", null, user: scene => scene.Bob),

        ["members: user that does not exist"] = Member(404, "user-not-found", s_put, _ => Guid.NewGuid().ToString()),
        ["members: user id that is no UUID"] = Member(400, "invalid-argument", s_put, _ => "bob"),
        ["members: role that does not exist"] = Member(400, "invalid-argument", s_put, scene => $"{scene.Bob.Id}", new { role = "king" }),
        ["members: addition by a member"] = Member(403, "not-yours", s_put, scene => $"{scene.Carol.Id}", user: scene => scene.Bob),
        ["members: role set by a member"] = Member(403, "not-yours", s_put, scene => $"{scene.Bob.Id}", new { role = "owner" }, scene => scene.Bob),
        ["members: removal by a member"] = Member(403, "not-yours", s_delete, scene => $"{scene.Ada.Id}", user: scene => scene.Bob),
        ["members: removal of a stranger"] = Member(404, "not-found", s_delete, scene => $"{scene.Carol.Id}"),
        ["members: role of the last owner"] = Member(409, "last-owner", s_put, scene => $"{scene.Ada.Id}", new { role = "member" }),
        ["members: the last owner leaves"] = Member(409, "last-owner", s_delete, scene => $"{scene.Ada.Id}"),
        ["direct: addition"] = At(409, "not-for-direct", s_put, scene => $"/conversations/{scene.Direct}/members/{scene.Carol.Id}", null),
        ["direct: role"] = At(409, "not-for-direct", s_put, scene => $"/conversations/{scene.Direct}/members/{scene.Bob.Id}", new { role = "owner" }),
        ["direct: leaving"] = At(409, "not-for-direct", s_delete, scene => $"/conversations/{scene.Direct}/members/{scene.Ada.Id}", null),
        ["direct: title"] = At(409, "not-for-direct", s_patch, scene => $"/conversations/{scene.Direct}", new { title = "Us" }),
        ["direct: closing"] = At(409, "not-for-direct", s_delete, scene => $"/conversations/{scene.Direct}", null),

        ["mute: unknown conversation"] = At(404, "not-found", s_put, _ => $"/conversations/{Guid.NewGuid()}/mute", null),
        ["mute: channel without membership"] = At(403, "not-a-member", s_put, scene => $"/conversations/{scene.Channel}/mute", null, user: scene => scene.Carol),
        ["blocked users: after that is no UUID"] = At(400, "invalid-argument", s_get, _ => "/users/blocked?after=bob", null),
        ["block: oneself"] = At(400, "invalid-argument", s_put, scene => $"/users/{scene.Ada.Id}/block", null),
        ["block: user that does not exist"] = At(404, "user-not-found", s_put, _ => $"/users/{Guid.NewGuid()}/block", null),
        ["block: user id that is no UUID"] = At(400, "invalid-argument", s_put, _ => "/users/bob/block", null),
    };

    private Scene _scene = null!;

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    public async Task InitializeAsync() => _scene = await Scene.CreateAsync(pulse);

    public Task DisposeAsync()
    {
        _scene.Dispose();
        return Task.CompletedTask;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task BadInput_IsRefusedByItsCode_AndNothingIsWritten(string name)
    {
        var bad = s_cases[name];
        var before = await _scene.SnapshotAsync();

        using (var answer = await bad.User(_scene).CallAsync(bad.Method, bad.Path(_scene), bad.Body(_scene)))
            await answer.ReadProblemAsync((HttpStatusCode)bad.Status, bad.Type);
        Assert.Equal(before, await _scene.SnapshotAsync());

        if (bad.HubMethod is null || bad.Arguments(_scene) is not { } arguments) return;
        await using var socket = await bad.User(_scene).ConnectAsync();
        await socket.RefusedAsync(bad.Type, bad.HubMethod, arguments);
        Assert.Equal(before, await _scene.SnapshotAsync());

        // No seq is used up.
        var head = await _scene.Ada.HeadAsync(_scene.Group);
        Assert.Equal(head + 1, await _scene.Ada.SendAsync(_scene.Group, "next"));
    }

    [Theory]
    [InlineData("SyncConversations", "invalid-argument", "null")]
    [InlineData("SyncConversations", "invalid-argument", "201")]
    [InlineData("SyncConversations", "invalid-argument", "bad id")]
    [InlineData("SyncConversations", "invalid-argument", "negative")]
    [InlineData("OpenConversation", "invalid-argument", "negative")]
    [InlineData("OpenConversation", "not-found", "unknown")]
    [InlineData("OpenConversation", "not-found", "bad id")]
    [InlineData("CloseConversation", "not-found", "bad id")]
    [InlineData("Typing", "not-found", "unknown")]
    [InlineData("Typing", "not-found", "bad id")]
    public async Task BadHubCall_IsRefusedByItsCode(string method, string code, string argument)
    {
        object?[] arguments = (method, argument) switch
        {
            ("SyncConversations", "null") => [null],
            ("SyncConversations", "201") => [Enumerable.Range(0, 201).Select(_ => new { id = Guid.NewGuid(), seq = 0, read = 0 })],
            ("SyncConversations", "bad id") => [new[] { new { id = "x", seq = 0, read = 0 } }],
            ("SyncConversations", _) => [new[] { new { id = _scene.Group, seq = -1, read = 0 } }],
            ("OpenConversation", "negative") => [_scene.Group, -1],
            ("OpenConversation", "unknown") => [Guid.NewGuid(), 0],
            ("OpenConversation", _) => ["x", 0],
            (_, "unknown") => [Guid.NewGuid()],
            _ => ["x"],
        };
        await using var socket = await _scene.Ada.ConnectAsync();

        await socket.RefusedAsync(code, method, arguments);
    }

    [Fact]
    public async Task Stranger_GetsTheAnswerOfAnUnknownId_ForDirectAndGroup_AndNotAMember_ForChannels()
    {
        var (carol, unknown) = (_scene.Carol, Guid.NewGuid());
        // Another stranger on the hub, because refused calls count too.
        using var dora = await ChatUser.SyncAsync(pulse, "Dora");
        await using var socket = await dora.ConnectAsync();
        var before = await _scene.SnapshotAsync();
        foreach (var (method, path, body) in CallsWithAnId.Requests(carol.Id, _scene.Bob.Id))
        {
            var expected = await AnswerAsync(unknown, HttpStatusCode.NotFound, "not-found");
            Assert.Equal(expected, await AnswerAsync(_scene.Group, HttpStatusCode.NotFound, "not-found"));
            Assert.Equal(expected, await AnswerAsync(_scene.Direct, HttpStatusCode.NotFound, "not-found"));
            await AnswerAsync(_scene.Channel, HttpStatusCode.Forbidden, "not-a-member");

            async Task<string> AnswerAsync(Guid id, HttpStatusCode status, string type)
            {
                var problem = await carol.RefusedAsync(method, $"/conversations/{id}{path}", body, status, type);
                problem.Remove("traceId");
                return problem.ToJsonString();
            }
        }

        foreach (var (method, arguments) in CallsWithAnId.OnTheHub())
        {
            foreach (var (id, code) in new[] { (_scene.Group, "not-found"), (_scene.Direct, "not-found"), (_scene.Channel, "not-a-member") })
                await socket.RefusedAsync(code, method, [id, .. arguments]);
        }

        var synced = await socket.SyncAsync((_scene.Group, 0), (_scene.Channel, 0));
        Assert.True(synced[0].GetProperty("gone").GetBoolean());
        Assert.Empty(synced[0].GetProperty("entries").EnumerateArray());
        Assert.Equal(before, await _scene.SnapshotAsync());
    }

    [Fact]
    public async Task ClosedConversation_TakesNothing()
    {
        var group = _scene.Group;
        await _scene.Ada.DoAsync(s_delete, $"/conversations/{group}");
        var before = await _scene.SnapshotAsync();
        await using var socket = await _scene.Ada.ConnectAsync();

        foreach (var (method, path, body) in new (HttpMethod, string, object?)[]
        {
            (s_post, "/messages", Message("x")), (s_patch, "/messages/2", new { text = "x" }), (s_delete, "/messages/2", null), (s_put, "/messages/2/reactions/a", null),
            (s_patch, "", new { title = "New" }), (s_put, $"/members/{_scene.Carol.Id}", null),
        })
        {
            await _scene.Ada.RefusedAsync(method, $"/conversations/{group}{path}", body, HttpStatusCode.Forbidden, "closed");
        }

        await socket.RefusedAsync("closed", "SendMessage", group, Message("x"));
        Assert.Equal(before, await _scene.SnapshotAsync());

        // It can still be read, and closing it again changes nothing.
        Assert.Equal("closed", (string?)(await _scene.Bob.EntriesAsync(group))[^1]["kind"]);
        var closed = await _scene.Ada.HeadAsync(group);
        Assert.Equal(closed, await CloseAgainAsync());
        await _scene.Bob.RefusedAsync(s_delete, $"/conversations/{group}", null, HttpStatusCode.Forbidden, "not-yours");

        // Members leave, the last owner too, and a repeated close gets the first one's answer.
        await _scene.Bob.RemoveAsync(group, _scene.Bob);
        Assert.Equal(closed, await CloseAgainAsync());
        await _scene.Ada.RemoveAsync(group, _scene.Ada);
        Assert.DoesNotContain(group, await _scene.Ada.InboxAsync());

        async Task<long> CloseAgainAsync() => (long)(await _scene.Ada.DoAsync(s_delete, $"/conversations/{group}"))["seq"]!;
    }

    [Fact]
    public async Task UserThatWasNotSynced_GetsAnInstruction()
    {
        using var dora = ChatUser.NotSynced(pulse);

        await dora.RefusedAsync(
            s_post, "/conversations", new { kind = "group", title = "x", members = new[] { _scene.Ada.Id }, clientId = Guid.NewGuid() }, HttpStatusCode.NotFound, "user-not-synced");
        await dora.RefusedAsync(s_put, $"/conversations/{_scene.Channel}/members/{dora.Id}", null, HttpStatusCode.NotFound, "user-not-synced");
    }

    [Fact]
    public async Task WrongContentType_IsRefused()
    {
        using var answer = await _scene.Ada.CallAsync(s_post, $"/conversations/{_scene.Group}/messages", Message("x"), "text/plain");

        await answer.ReadProblemAsync(HttpStatusCode.UnsupportedMediaType, "unsupported-media-type");
    }

    private static object Message(string text) => new { clientId = Guid.NewGuid(), text };

    private static Case AtWith(
        int status, string type, HttpMethod method, Func<Scene, string> path, Func<Scene, object?> body, string? hubMethod = null, Func<Scene, object?[]?>? arguments = null,
        Func<Scene, ChatUser>? user = null) =>
        new(status, type, method, path, body, user ?? (scene => scene.Ada), hubMethod, arguments ?? (_ => null));

    private static Case At(
        int status, string type, HttpMethod method, Func<Scene, string> path, object? body, string? hubMethod = null, Func<Scene, object?[]?>? arguments = null,
        Func<Scene, ChatUser>? user = null) => AtWith(status, type, method, path, _ => body, hubMethod, arguments, user);

    // A body that is a text has no counterpart on the hub.
    private static Case Send(int status, string type, Func<Scene, object> body, Func<Scene, ChatUser>? user = null) => AtWith(
        status, type, s_post, scene => $"/conversations/{scene.Group}/messages", body, "SendMessage",
        scene => body(scene) is var message and not string ? [scene.Group, message] : null, user);

    private static Case Edit(int status, string type, string seq, object body) => At(
        status, type, s_patch, scene => $"/conversations/{scene.Group}/messages/{seq}", body, "EditMessage",
        scene => long.TryParse(seq, out var number) ? [scene.Group, number, body] : null);

    private static Case Delete(int status, string type, string seq) => At(
        status, type, s_delete, scene => $"/conversations/{scene.Group}/messages/{seq}", null, "DeleteMessage",
        scene => long.TryParse(seq, out var number) ? [scene.Group, number] : null);

    private static Case React(int status, string type, long seq, string emoji) => At(
        status, type, s_put, scene => $"/conversations/{scene.Group}/messages/{seq}/reactions/{Uri.EscapeDataString(emoji)}", null, "React",
        scene => [scene.Group, seq, emoji, true]);

    private static Case Read(int status, string type, object body, long? seq) => At(
        status, type, s_put, scene => $"/conversations/{scene.Group}/read", body, "MarkRead", scene => seq is null ? null : [scene.Group, seq]);

    private static Case Get(string path) => At(400, "invalid-argument", s_get, scene => $"/conversations/{scene.Group}/{path}", null);

    private static Case Create(int status, string type, Func<Scene, object> body) => AtWith(status, type, s_post, _ => "/conversations", body);

    private static Case Change(int status, string type, object body, Func<Scene, ChatUser>? user = null) =>
        At(status, type, s_patch, scene => $"/conversations/{scene.Group}", body, user: user);

    private static Case Member(int status, string type, HttpMethod method, Func<Scene, string> member, object? body = null, Func<Scene, ChatUser>? user = null) =>
        At(status, type, method, scene => $"/conversations/{scene.Group}/members/{member(scene)}", body, user: user);

    private sealed record Case(
        int Status, string Type, HttpMethod Method, Func<Scene, string> Path, Func<Scene, object?> Body, Func<Scene, ChatUser> User, string? HubMethod,
        Func<Scene, object?[]?> Arguments);

    /// <summary>
    /// Ada (owner) and Bob share a group, a channel and a direct conversation; Carol shares nothing. The group's log: created, a message of Ada's, a
    /// message of Bob's, a message of Ada's that was deleted, its deletion.
    /// </summary>
    private sealed class Scene(ChatUser ada, ChatUser bob, ChatUser carol) : IDisposable
    {
        public ChatUser Ada => ada;

        public ChatUser Bob => bob;

        public ChatUser Carol => carol;

        public Guid Group { get; private set; }

        public Guid Channel { get; private set; }

        public Guid Direct { get; private set; }

        public Guid GroupClientId { get; } = Guid.NewGuid();

        public Guid FirstClientId { get; } = Guid.NewGuid();

        public static async Task<Scene> CreateAsync(PulseApplication pulse)
        {
            var scene = new Scene(await ChatUser.SyncAsync(pulse, "Ada"), await ChatUser.SyncAsync(pulse, "Bob"), await ChatUser.SyncAsync(pulse, "Carol"));
            var group = new { kind = "group", title = "Plans", members = new[] { scene.Bob.Id }, clientId = scene.GroupClientId };
            scene.Group = (Guid)(await scene.Ada.DoAsync(s_post, "/conversations", group, HttpStatusCode.Created))["id"]!;
            await scene.Ada.DoAsync(s_post, $"/conversations/{scene.Group}/messages", new { clientId = scene.FirstClientId, text = "first" }, HttpStatusCode.Created);
            await scene.Bob.SendAsync(scene.Group, "second");
            await scene.Ada.DeleteAsync(scene.Group, await scene.Ada.SendAsync(scene.Group, "third"));
            scene.Channel = await scene.Ada.CreateAsync("channel", scene.Bob);
            scene.Direct = await scene.Ada.CreateAsync("direct", scene.Bob);
            await scene.Ada.SendAsync(scene.Direct, "hello");
            return scene;
        }

        /// <summary>The inboxes of all, with heads, markers and counts.</summary>
        public async Task<string> SnapshotAsync()
        {
            var inboxes = new List<string>();
            foreach (var user in new[] { Ada, Bob, Carol }) inboxes.Add((await user.GetAsync("/conversations")).ToJsonString());
            return string.Join("\n", inboxes);
        }

        public void Dispose()
        {
            Ada.Dispose();
            Bob.Dispose();
            Carol.Dispose();
        }
    }
}
