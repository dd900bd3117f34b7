using Microsoft.AspNetCore.SignalR;

namespace Pulse.Web.Presence;

/// <summary>The hub and the state behind it.</summary>
internal static class PresenceHubExtensions
{
    /// <summary>A client that has said nothing for so long is gone; SignalR's clients ping every 15 s.</summary>
    public static readonly TimeSpan ClientTimeout = TimeSpan.FromSeconds(30);

    public static IServiceCollection AddPresenceHub(this IServiceCollection services)
    {
        services.AddOptions<HeartbeatOptions>().BindConfiguration(HeartbeatOptions.SectionName);
        services.AddSingleton<FrontEnd>();
        services.AddHostedService<LeaseRenewal>();
        services.AddSignalR(hub =>
        {
            hub.ClientTimeoutInterval = ClientTimeout;
            hub.KeepAliveInterval = ClientTimeout / 2;
            hub.MaximumReceiveMessageSize = 32 * 1024;
        });
        return services;
    }

    public static void MapPresenceHub(this IEndpointRouteBuilder endpoints) =>
        endpoints.MapHub<PresenceHub>("/hubs/pulse", options => options.CloseOnAuthenticationExpiration = true);
}
