using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tokens;

namespace Pulse.Web.Tests.Presence;

[Collection(SharedPulse.Name)]
public sealed class PresenceHubTests(PulseApplication pulse)
{
    private readonly Guid _ada = Guid.CreateVersion7();
    private readonly Guid _bob = Guid.CreateVersion7();

    [Theory]
    [InlineData("")]
    [InlineData("rubbish")]
    public async Task Connect_WithoutAGoodToken_IsRefusedWith401(string token)
    {
        var refused = await Assert.ThrowsAnyAsync<Exception>(() => HubClient.ConnectAsync(pulse.Address, token));

        Assert.Contains("401", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_WithATrustedTokenThatWasNeverSynced_GetsAnInstruction()
    {
        var token = TestTokens.Hs256(TestTokens.Claims(PulseApplication.TrustedIssuer, _ada.ToString()), TestTokens.OtherKey);
        await using var connection = new HubConnectionBuilder()
            .WithUrl(new Uri(pulse.Address, "/hubs/pulse"), http => http.AccessTokenProvider = () => Task.FromResult<string?>(token))
            .Build();
        var closed = new TaskCompletionSource<Exception?>();
        connection.Closed += error =>
        {
            closed.TrySetResult(error);
            return Task.CompletedTask;
        };
        await connection.StartAsync();

        Assert.Contains("POST /auth/sync", (await closed.Task.WaitAsync(TimeSpan.FromSeconds(60)))?.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Watch_ShowsConnectChangeAndDisconnect()
    {
        await using var ada = await ConnectAsync(_ada);
        var before = Assert.Single(await ada.WatchAsync(_bob));
        Assert.Equal("offline", before.GetProperty("status").GetString());

        await using (var bob = await ConnectAsync(_bob))
        {
            await ada.StatusAsync(_bob, "online");
            await bob.Connection.InvokeAsync("SetStatus", "busy", "In a meeting");
            Assert.Equal("In a meeting", (await ada.StatusAsync(_bob, "busy")).GetProperty("message").GetString());
            await bob.Connection.StopAsync();
        }

        var gone = await ada.StatusAsync(_bob, "offline");
        Assert.InRange(gone.GetProperty("lastSeen").GetDateTimeOffset(), DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow);
        Assert.Equal(["online", "busy", "offline"], ada.StatusesOf(_bob));
    }

    [Fact]
    public async Task Stop_OfTheLastConnection_SetsOfflineAtOnce_ABrokenOneAfterTheGracePeriod()
    {
        var carol = Guid.CreateVersion7();
        await using var ada = await ConnectAsync(_ada);
        await using var bob = await ConnectAsync(_bob);
        await ada.WatchAsync(_bob, carol);
        using var broken = await RawSocket.ConnectAsync(pulse.Address, Token(carol));
        await ada.StatusAsync(carol, "online");

        // Both at once: the device with a goodbye is offline while the other's grace period still runs.
        broken.Abort();
        await bob.Connection.StopAsync();

        await ada.StatusAsync(_bob, "offline");
        Assert.DoesNotContain("offline", ada.StatusesOf(carol));
        await ada.StatusAsync(carol, "offline");
    }

    [Fact]
    public async Task Unwatch_EndsItsNotifications()
    {
        var carol = Guid.CreateVersion7();
        await using var ada = await ConnectAsync(_ada);
        await ada.WatchAsync(_bob, carol);
        await ada.Connection.InvokeAsync("UnwatchPresence", new[] { _bob });

        await using var bob = await ConnectAsync(_bob);
        await using var later = await ConnectAsync(carol);
        await ada.StatusAsync(carol, "online");

        Assert.Empty(ada.StatusesOf(_bob));
    }

    [Theory]
    [InlineData("SetStatus", "invalid-argument", "asleep", null)]
    [InlineData("SetStatus", "invalid-argument", "offline", null)]
    [InlineData("SetStatus", "invalid-argument", "busy", "a\nb")]
    [InlineData("WatchPresence", "invalid-argument", new[] { "nobody" })]
    [InlineData("WatchPresence", "invalid-argument", new string[0])]
    [InlineData("Reauthenticate", "invalid-token", "rubbish")]
    public async Task BadArguments_GetAnErrorThatSaysWhatToDo_AndTheConnectionGoesOn(string method, string code, params object?[] arguments)
    {
        await using var ada = await ConnectAsync(_ada);

        var error = await Assert.ThrowsAsync<HubException>(() => ada.Connection.InvokeCoreAsync(method, arguments));

        // The text begins with the code, so SignalR's sentence is removed.
        Assert.StartsWith($"{code}: ", error.Message, StringComparison.Ordinal);
        await ada.Connection.InvokeAsync("Heartbeat");
    }

    [Fact]
    public async Task Watch_OneTooMany_IsRefusedWhole()
    {
        await using var ada = await ConnectAsync(_ada);
        await ada.Connection.InvokeAsync("WatchPresence", Enumerable.Range(0, 600).Select(_ => Guid.CreateVersion7()).ToArray());

        var error = await Assert.ThrowsAsync<HubException>(
            () => ada.Connection.InvokeAsync("WatchPresence", Enumerable.Range(0, 401).Select(_ => Guid.CreateVersion7()).ToArray()));

        Assert.Contains("too-many-watched: ", error.Message, StringComparison.Ordinal);
        await ada.Connection.InvokeAsync("WatchPresence", Enumerable.Range(0, 400).Select(_ => Guid.CreateVersion7()).ToArray());
    }

    [Theory]
    [InlineData("Nothing")]
    [InlineData("Heartbeat", "too", "much")]
    [InlineData("SetStatus", 1, 2)]
    public async Task UnknownMethodOrArguments_GetAnError_AndTheConnectionGoesOn(string method, params object?[] arguments)
    {
        await using var ada = await ConnectAsync(_ada);

        await Assert.ThrowsAsync<HubException>(() => ada.Connection.InvokeCoreAsync(method, arguments));
        await ada.Connection.InvokeAsync("Heartbeat");
    }

    [Fact]
    public async Task MessageOver64KB_ClosesTheConnection_AndTheUserGoesOffline()
    {
        await using var ada = await ConnectAsync(_ada);
        await using var bob = await ConnectAsync(_bob);
        await ada.WatchAsync(_bob);

        await Assert.ThrowsAnyAsync<Exception>(() => bob.Connection.InvokeAsync("SetStatus", "busy", new string('x', 80_000)));

        await bob.Closed;
        await ada.StatusAsync(_bob, "offline");
    }

    [Fact]
    public async Task ExpiringToken_IsAnnouncedOnce_WhateverTheClientSends_ThenClosesTheSocket()
    {
        var token = Token(_ada, seconds: 9);
        await using var ada = await HubClient.ConnectAsync(pulse.Address, token);

        // A third of its life before its end.
        Assert.InRange((await ada.NextAsync("TokenExpiring")).GetProperty("secondsLeft").GetInt32(), 0, 3);
        await ada.Connection.InvokeAsync("Reauthenticate", token);

        var ended = await ada.NextAsync("SessionEnded");
        Assert.Equal("token-expired", ended.GetProperty("reason").GetString());
        Assert.True(ended.GetProperty("mayReconnect").GetBoolean());
        await ada.Closed;
        Assert.Single(ada.Told, "TokenExpiring");
    }

    [Fact]
    public async Task Reauthenticate_InTime_KeepsTheSocket()
    {
        await using var ada = await HubClient.ConnectAsync(pulse.Address, Token(_ada, seconds: 12));
        await using var other = await HubClient.ConnectAsync(pulse.Address, Token(_bob, seconds: 12));

        await ada.NextAsync("TokenExpiring");
        await ada.Connection.InvokeAsync("Reauthenticate", Token(_ada));
        await other.Closed;

        await ada.Connection.InvokeAsync("Heartbeat");
        Assert.DoesNotContain("SessionEnded", ada.Told);
    }

    [Fact]
    public async Task Reauthenticate_AsAnotherUser_IsRefused()
    {
        await using var ada = await ConnectAsync(_ada);

        var error = await Assert.ThrowsAsync<HubException>(() => ada.Connection.InvokeAsync("Reauthenticate", Token(_bob)));

        Assert.Contains("invalid-token: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ConnectionPastTheLimit_ClosesTheOldest()
    {
        await using var oldest = await ConnectAsync(_ada);
        var others = new List<HubClient>();
        for (var i = 0; i < 20; i++) others.Add(await ConnectAsync(_ada));

        Assert.Equal("too-many-connections", (await oldest.NextAsync("SessionEnded")).GetProperty("reason").GetString());
        await oldest.Closed;
        foreach (var other in others)
        {
            await other.Connection.InvokeAsync("Heartbeat");
            await other.DisposeAsync();
        }
    }

    [Fact]
    public async Task EndedSession_ClosesItsSockets_AndItsTokenConnectsNoMore()
    {
        await pulse.As(Token(_ada)).PostAsJsonAsync("/auth/sync", new { email = $"{_ada:N}@example.com" });
        var grains = pulse.Services.GetRequiredService<IGrainFactory>();
        var sessions = grains.GetGrain<IUserSessionsGrain>(_ada);
        var session = (await sessions.StartAsync(new() { TokenHash = Guid.NewGuid().ToByteArray().Concat(Guid.NewGuid().ToByteArray()).ToArray() }))!;
        var user = (await grains.GetGrain<IUserGrain>(_ada).GetProfileAsync())!;
        var token = pulse.Services.GetRequiredService<TokenIssuer>().IssueForSession(user, session.Id, session.ExpiresAt).Value;
        await using var ada = await HubClient.ConnectAsync(pulse.Address, token);

        await sessions.EndAsync(session.Id);

        var ended = await ada.NextAsync("SessionEnded");
        Assert.Equal("signed-out", ended.GetProperty("reason").GetString());
        Assert.False(ended.GetProperty("mayReconnect").GetBoolean());
        await ada.Closed;
        Assert.Equal(HttpStatusCode.Unauthorized, (await pulse.As(token).GetAsync(new Uri("/auth/me", UriKind.Relative))).StatusCode);
        await Assert.ThrowsAnyAsync<Exception>(() => HubClient.ConnectAsync(pulse.Address, token));
    }

    private Task<HubClient> ConnectAsync(Guid userId) => HubClient.ConnectAsync(pulse.Address, Token(userId));

    private static string Token(Guid userId, int seconds = 3600)
    {
        var claims = TestTokens.Claims(userId);
        claims["exp"] = TestTokens.In(seconds);
        return TestTokens.Hs256(claims);
    }
}
