using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Presence;
using Pulse.Users;
using Pulse.Web.Connections;
using Pulse.Web.Presence;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Presence;

/// <summary>The remains of a socket whose client still had calls in progress, because SignalR does not wait for them.</summary>
[Collection(SharedPulse.Name)]
public sealed class SocketEndTests(PulseApplication pulse)
{
    private const int Sockets = 12;
    private const int Ids = 400;

    private readonly Guid _ada = Guid.CreateVersion7();
    private readonly Guid _bob = Guid.CreateVersion7();
    private readonly Guid _watched = Guid.CreateVersion7();

    private PresenceWatches Watches => pulse.Services.GetRequiredService<PresenceWatches>();

    private ConnectionRegistry ConnectionRegistry => pulse.Services.GetRequiredService<ConnectionRegistry>();

    [Fact]
    public async Task CloseDuringWatch_LeavesNoOnlineUserAndNoWatch()
    {
        var users = Enumerable.Range(0, Sockets).Select(_ => Guid.CreateVersion7()).ToArray();
        var watched = users.ToDictionary(user => user, _ => Enumerable.Range(0, Ids).Select(_ => Guid.CreateVersion7()).ToArray());
        foreach (var user in users)
        {
            using var socket = await SlowSocket.ConnectAsync(pulse.Address, Token(user));
            await socket.CallAsync("WatchPresence", [watched[user]]);
            await Eventually.AsyncTrue("the first watches", () => Task.FromResult(Watches.Users.Contains(watched[user][0])));
            await socket.CloseAsync();
            await socket.ClosedAsync();
        }

        var all = watched.Values.SelectMany(ids => ids).ToHashSet();
        await Eventually.AsyncTrue("no socket is left", () => Task.FromResult(!ConnectionRegistry.Connections.Any(connection => watched.ContainsKey(connection.UserId))));
        await Eventually.AsyncTrue("no watch is left", () => Task.FromResult(!Watches.Users.Any(all.Contains)));
        var grains = pulse.Services.GetRequiredService<IGrainFactory>();
        foreach (var user in users)
        {
            await Eventually.AsyncTrue(
                "the user is offline", async () => (await grains.GetGrain<IUserGrain>(user).GetPresenceAsync()).Status == PresenceStatus.Offline);
        }
    }

    [Fact]
    public async Task Watch_OfAClosedConnection_IsRefusedAndLeavesNoWatch()
    {
        await using var ada = await HubClient.ConnectAsync(pulse.Address, Token(_ada));
        var over = Connection(_ada);
        await Watches.RemoveConnectionAsync(over);

        await Assert.ThrowsAsync<OperationCanceledException>(() => Watches.WatchAsync(over, [_watched]));

        Assert.DoesNotContain(_watched, Watches.Users);
    }

    [Fact]
    public async Task EndAndUnwatchOfOneConnection_KeepTheOtherConnectionsWatch()
    {
        await using var ada = await HubClient.ConnectAsync(pulse.Address, Token(_ada));
        await using var bob = await HubClient.ConnectAsync(pulse.Address, Token(_bob));
        await ada.Connection.InvokeAsync("WatchPresence", new[] { _watched });
        await bob.Connection.InvokeAsync("WatchPresence", new[] { _watched });
        var over = Connection(_ada);

        await Task.WhenAll(Watches.RemoveConnectionAsync(over), Task.Run(() => Watches.Unwatch(over, _watched)));
        await Watches.RemoveConnectionAsync(over);

        await using var watched = await HubClient.ConnectAsync(pulse.Address, Token(_watched));
        await bob.StatusAsync(_watched, "online");
        Assert.Empty(ada.StatusesOf(_watched));
    }

    private LiveConnection Connection(Guid userId) => ConnectionRegistry.Connections.Single(connection => connection.UserId == userId);

    private static string Token(Guid userId) => TestTokens.Hs256(TestTokens.Claims(userId));
}
