using Microsoft.AspNetCore.SignalR;

namespace Pulse.Web.Hubs;

/// <summary>
/// SignalR's default manager that also stores the connection among its features, so that one serialized message can be written to many
/// sockets with a separate wait for each.
/// </summary>
internal sealed class PresenceLifetimeManager(ILogger<DefaultHubLifetimeManager<PresenceHub>> logger) : DefaultHubLifetimeManager<PresenceHub>(logger)
{
    public override Task OnConnectedAsync(HubConnectionContext connection)
    {
        connection.Features.Set(connection);
        return base.OnConnectedAsync(connection);
    }
}
