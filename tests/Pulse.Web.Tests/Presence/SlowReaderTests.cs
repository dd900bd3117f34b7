using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Identity;
using Pulse.Presence;
using Pulse.Users;
using Pulse.Web.Connections;
using Pulse.Web.Presence;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tokens;

namespace Pulse.Web.Tests.Presence;

/// <summary>Clients that do not read the server's messages.</summary>
[Collection(SharedPulse.Name)]
public sealed class SlowReaderTests(PulseApplication pulse)
{
    // Some 10 MB: more than the buffers of the server's socket (net.ipv4.tcp_wmem).
    private const int Changes = 10_000;

    private readonly Guid _ada = Guid.CreateVersion7();
    private readonly Guid _bob = Guid.CreateVersion7();

    private ConnectionRegistry ConnectionRegistry => pulse.Services.GetRequiredService<ConnectionRegistry>();

    [Fact]
    public async Task SlowReader_DelaysNoOther_AndGetsTheNewestOnly()
    {
        using var slow = await SlowSocket.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims(_ada)));
        using var fast = await SlowSocket.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims(Guid.CreateVersion7())));
        var before = await WatchAsync(slow);
        await WatchAsync(fast);

        await ChangeAsync(before);
        var last = $"\"version\":{before + Changes}";
        await fast.NextAsync(last);

        var (told, latest) = (0, before);
        while (latest < before + Changes)
        {
            var version = (await slow.NextAsync("PresenceChanged")).GetProperty("arguments")[0].GetProperty("version").GetInt64();
            Assert.True(version > latest, $"Version {version} was told after {latest}.");
            (told, latest) = (told + 1, version);
        }

        Assert.InRange(told, 1, Changes * 3 / 4);
    }

    [Fact]
    public async Task EndedSession_OfAClientThatDoesNotRead_ClosesTheSocketAtOnce()
    {
        await pulse.As(TestTokens.Hs256(TestTokens.Claims(_ada))).PostAsJsonAsync("/auth/sync", new { email = $"{_ada:N}@example.com" });
        var grains = pulse.Services.GetRequiredService<IGrainFactory>();
        var sessions = grains.GetGrain<IUserSessionsGrain>(_ada);
        var session = (await sessions.StartAsync(new() { TokenHash = [.. Guid.NewGuid().ToByteArray(), .. Guid.NewGuid().ToByteArray()] }))!;
        var user = (await grains.GetGrain<IUserGrain>(_ada).GetProfileAsync())!;
        var token = pulse.Services.GetRequiredService<TokenIssuer>().IssueForSession(user, session.Id, session.ExpiresAt).Value;
        using var socket = await SlowSocket.ConnectAsync(pulse.Address, token);
        var before = await WatchAsync(socket);
        await FillAsync(ConnectionRegistry.Connections.Single(connection => connection.UserId == _ada));
        Change(Now, before, 1);

        var clock = Stopwatch.StartNew();
        await sessions.EndAsync(session.Id);
        await Eventually.AsyncTrue("the socket is gone", () => Task.FromResult(!ConnectionRegistry.Connections.Any(connection => connection.UserId == _ada)));

        // The server gives a slow client half a second for the notice: a shorter time would mean that the notice was delivered. If the
        // cut-off were missing, the socket would close after the 10 s that SignalR allows for a write.
        Assert.InRange(clock.Elapsed, TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(9));
        await socket.ClosedAsync();
    }

    [Fact]
    public async Task Calls_OfASocketThatIsBeingClosed_AreRefused()
    {
        await using var ada = await HubClient.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims(_ada)));
        Assert.True(ConnectionRegistry.Connections.Single(connection => connection.UserId == _ada).TryEnd(SessionEndedMessage.SignedOut));

        foreach (var (method, arguments) in new (string, object?[])[] { ("Heartbeat", []), ("WatchPresence", [new[] { _bob }]), ("SetStatus", ["busy", null]) })
        {
            var error = await Assert.ThrowsAsync<HubException>(() => ada.Connection.InvokeCoreAsync(method, arguments));
            Assert.Contains("signed-out: ", error.Message, StringComparison.Ordinal);
        }
    }

    /// <returns>The version of Bob's presence.</returns>
    private async Task<long> WatchAsync(SlowSocket socket)
    {
        await socket.CallAsync("WatchPresence", [new[] { _bob }], id: "1");
        return (await socket.NextAsync("\"invocationId\":\"1\"")).GetProperty("result")[0].GetProperty("version").GetInt64();
    }

    /// <summary>Sends that many changes as Bob's grain does, no faster than they can be written.</summary>
    private async Task ChangeAsync(long before)
    {
        var own = Now;
        for (var i = 1; i <= Changes; i++)
        {
            Change(own, before, i);
            if (i % 50 == 0) await Task.Delay(1);
        }
    }

    private void Change(long own, long before, int i) => pulse.Services.GetRequiredService<PresenceWatches>().Apply(new()
    {
        UserId = _bob,
        Status = PresenceStatus.Online,
        Message = $"{i} {new string('é', 130)}",
        Version = own + i,
        VersionForOthers = before + i,
    });

    private static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>Sends messages until the socket takes none for two seconds. SignalR allows ten for a write.</summary>
    private static async Task FillAsync(LiveConnection connection)
    {
        // The buffers of both sides together (net.ipv4.tcp_wmem and tcp_rmem) take less.
        const int Most = 2_000;
        for (var i = 0; i < Most; i++)
        {
            var write = connection.SendAsync("Filler", new string('x', 32 * 1024));
            if (await Task.WhenAny(write, Task.Delay(TimeSpan.FromSeconds(2))) != write) return;
        }

        Assert.Fail("The socket took everything.");
    }
}
