using System.Collections.Concurrent;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Presence;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Presence;

/// <summary>Which pages can open the hub, what a status message may contain, and a policy that changes while it is in use.</summary>
public sealed class HubAccessTests(HubAccessTests.Application pulse) : IClassFixture<HubAccessTests.Application>
{
    private const string Listed = "https://app.example";

    private readonly Guid _ada = Guid.CreateVersion7(), _bob = Guid.CreateVersion7();

    public sealed class Application() : PulseApplication([
        new("Pulse:Presence:TimeToLive", "00:00:12"),
        new("Pulse:Presence:HeartbeatInterval", "00:00:05"),
        new("Pulse:Presence:OfflineGrace", "00:00:01"),
        new("Pulse:Cors:Origins:0", Listed)])
    {
        /// <summary>Pairs of a viewer and a user that is hidden from that viewer.</summary>
        internal ConcurrentDictionary<(Guid Viewer, Guid User), bool> Blocked { get; } = new();

        private protected override void Adjust(IServiceCollection services) => services.AddSingleton<IPresencePolicy>(new Policy(Blocked));

        private sealed class Policy(ConcurrentDictionary<(Guid Viewer, Guid User), bool> blocked) : IPresencePolicy
        {
            public ValueTask<bool> MaySeeAsync(Guid viewerId, Guid userId, CancellationToken cancellationToken = default) => new(!blocked.ContainsKey((viewerId, userId)));
        }
    }

    [Fact]
    public async Task PolicyThatChanges_HidesAndShowsAWatchedUser()
    {
        await using var bob = await ConnectAsync(_bob);
        await using var ada = await ConnectAsync(_ada);
        Assert.Equal("online", Assert.Single(await ada.WatchAsync(_bob)).GetProperty("status").GetString());

        pulse.Blocked[(_ada, _bob)] = true;
        var hidden = await ada.StatusAsync(_bob, "offline");
        Assert.Equal((0, JsonValueKind.Null), (hidden.GetProperty("version").GetInt64(), hidden.GetProperty("lastSeen").ValueKind));

        // A change while hidden stays hidden. Bob's own connection proves that it was made.
        await bob.WatchAsync(_bob);
        await bob.Connection.InvokeAsync("SetStatus", "away");
        await bob.StatusAsync(_bob, "away");
        await bob.Connection.InvokeAsync("SetStatus", "busy");
        await bob.StatusAsync(_bob, "busy");
        Assert.Equal(["offline"], ada.StatusesOf(_bob));

        pulse.Blocked.TryRemove((_ada, _bob), out _);
        await ada.StatusAsync(_bob, "busy");
        await bob.Connection.InvokeAsync("SetStatus", "away");
        await ada.StatusAsync(_bob, "away");
        Assert.Equal(["offline", "busy", "away"], ada.StatusesOf(_bob));
    }

    [Fact]
    public async Task HiddenUser_IsShownOnceThePolicyAllowsIt_UnlessTheWatchHasEnded()
    {
        await using var bob = await ConnectAsync(_bob);
        var carol = Guid.CreateVersion7();
        await using var ada = await ConnectAsync(_ada);
        pulse.Blocked[(_ada, _bob)] = pulse.Blocked[(_ada, carol)] = true;
        Assert.All(await ada.WatchAsync(_bob, carol), presence => Assert.Equal("offline", presence.GetProperty("status").GetString()));
        await ada.Connection.InvokeAsync("UnwatchPresence", new[] { carol });

        pulse.Blocked.TryRemove((_ada, carol), out _);
        pulse.Blocked.TryRemove((_ada, _bob), out _);

        await ada.StatusAsync(_bob, "online");
        Assert.Empty(ada.StatusesOf(carol));
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData(Listed, true)]
    [InlineData("HTTPS://APP.EXAMPLE", true)]
    [InlineData("own", true)]
    [InlineData("https://evil.example", false)]
    [InlineData("https://app.example.evil.example", false)]
    [InlineData("null", false)]
    public async Task WebSocket_IsForPagesOfThisSiteAndOfListedOrigins(string? origin, bool isAllowed)
    {
        using var socket = new ClientWebSocket { Options = { CollectHttpResponseDetails = true } };
        if (origin is not null) socket.Options.SetRequestHeader("Origin", origin == "own" ? pulse.Address.GetLeftPart(UriPartial.Authority) : origin);
        socket.Options.SetRequestHeader("Authorization", $"Bearer {TestTokens.Hs256(TestTokens.Claims(_ada))}");

        var connected = await Record.ExceptionAsync(() => socket.ConnectAsync(new Uri($"ws://{pulse.Address.Authority}/hubs/pulse"), CancellationToken.None));

        Assert.Equal(isAllowed, connected is null);
        Assert.Equal(isAllowed ? HttpStatusCode.SwitchingProtocols : HttpStatusCode.Forbidden, socket.HttpStatusCode);
    }

    [Theory]
    [InlineData("evil \u202E txt")]
    [InlineData("evil \u2066 txt")]
    [InlineData("two\u2028lines")]
    [InlineData("two\u2029lines")]
    [InlineData("a\u0007bell")]
    public async Task StatusMessage_WithTextDirectionControls_IsRefused(string message)
    {
        await using var ada = await ConnectAsync(_ada);

        var refused = await Assert.ThrowsAsync<HubException>(() => ada.Connection.InvokeAsync("SetStatus", "online", message));

        Assert.StartsWith("invalid-argument: ", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task StatusMessage_WithADirectionMark_IsShownWithoutIt()
    {
        await using var ada = await ConnectAsync(_ada);
        await ada.Connection.InvokeAsync("SetStatus", "online", "\u200Fשלום");

        Assert.Equal("שלום", Assert.Single(await ada.WatchAsync(_ada)).GetProperty("message").GetString());
    }

    [Fact]
    public async Task StatusMessage_WithHalfASurrogatePair_IsRefusedByItsCode()
    {
        // Client libraries would refuse to send it.
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Authorization", $"Bearer {TestTokens.Hs256(TestTokens.Claims(_ada))}");
        await socket.ConnectAsync(new Uri($"ws://{pulse.Address.Authority}/hubs/pulse"), CancellationToken.None);
        await SendAsync("""{"protocol":"json","version":1}""");
        await SendAsync("""{"type":1,"invocationId":"1","target":"SetStatus","arguments":["online","\ud800"]}""");

        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var (told, buffer) = (new StringBuilder(), new byte[4096]);
        while (!told.ToString().Contains("\"invocationId\":\"1\"", StringComparison.Ordinal))
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(), bound.Token);
            told.Append(Encoding.UTF8.GetString(buffer, 0, read.Count));
        }

        Assert.Contains("\"error\":\"invalid-argument: ", told.ToString(), StringComparison.Ordinal);

        Task SendAsync(string message) => socket.SendAsync(Encoding.UTF8.GetBytes($"{message}\u001e"), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
    }

    private Task<HubClient> ConnectAsync(Guid userId) => HubClient.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims(userId)));
}
