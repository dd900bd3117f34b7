using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.Options;
using Pulse.Web.Auth;

namespace Pulse.Web.Presence;

/// <summary>The socket: tells the user's grain that a connection began and ended, and takes the client's signs of life.</summary>
[Authorize]
internal sealed class PresenceHub(FrontEnd frontEnd, Callers callers, IOptions<HeartbeatOptions> options, TimeProvider time) : Hub<IPresenceClient>
{
    // Clients beat twice a minute; what is far beyond that is a fault or an attack, and either should hear so.
    private const int CallsPerSecond = 500;

    private LiveConnection Connection => Context.Features.Get<LiveConnection>()!;

    public override async Task OnConnectedAsync()
    {
        var caller = callers.Read(Context.User!);
        var userId = await callers.FindUserIdAsync(caller)
            ?? throw new HubException("user-not-synced: this token's user is not known here yet. Call POST /auth/sync with it, then connect again.");
        var connection = new LiveConnection(Context.ConnectionId, userId, caller.OwnSessionId) { ActiveAtTicks = time.GetUtcNow().UtcTicks };
        Context.Features.Set(connection);
        await frontEnd.ConnectAsync(connection);
        await Clients.Caller.Connected(new(userId, Context.ConnectionId, (int)options.Value.HeartbeatInterval.TotalSeconds));
    }

    public override Task OnDisconnectedAsync(Exception? exception)
    {
        // A socket that SignalR gave up for its silence was last heard of that long ago.
        var now = time.GetUtcNow();
        var seenAt = exception is OperationCanceledException ? now - PresenceHubExtensions.ClientTimeout : now;
        return Context.Features.Get<LiveConnection>() is { } connection ? frontEnd.DisconnectAsync(connection, seenAt) : Task.CompletedTask;
    }

    /// <summary>Marks the client as active. Answered on the spot: the lease itself is renewed by the front end.</summary>
    /// <exception cref="HubException"><c>too-many-calls</c>: slow down; a retry a second later can help.</exception>
    public void Heartbeat()
    {
        if (!Connection.TryCall(time.GetUtcNow(), CallsPerSecond))
        {
            throw new HubException("too-many-calls: one Heartbeat() per heartbeatSeconds is enough. Slow down and go on.");
        }
    }
}
