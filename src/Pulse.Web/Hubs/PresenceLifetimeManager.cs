using Microsoft.AspNetCore.SignalR;

namespace Pulse.Web.Hubs;

/// <summary>SignalR's own, and puts the connection among its features: whoever has it can write one message to many sockets, and wait for each by itself.</summary>
internal sealed class PresenceLifetimeManager(ILogger<DefaultHubLifetimeManager<PresenceHub>> logger) : DefaultHubLifetimeManager<PresenceHub>(logger)
{
    public override Task OnConnectedAsync(HubConnectionContext connection)
    {
        connection.Features.Set(connection);
        return base.OnConnectedAsync(connection);
    }
}
