using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Pulse.Presence;
using Pulse.Web.Connections;
using Pulse.Web.Http;
using Pulse.Web.Hubs;
using Pulse.Web.Presence;
using Pulse.Web.Tokens;

namespace Pulse.Web;

/// <summary>Registers and maps the hub and its services.</summary>
internal static class PresenceHubSetup
{
    public static IServiceCollection AddPresenceHub(this IServiceCollection services)
    {
        services.AddOptions<HubConnectionOptions>().BindConfiguration(HubConnectionOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<HubAdmission>();
        services.AddSingleton<HubOrigins>();
        services.AddSingleton<ConnectionRegistry>();
        services.AddSingleton<FrontEndReference>();
        services.AddSingleton<IFrontEndObserver, FrontEndObserver>();
        services.AddJson(PresenceJson.Default);
        services.AddSingleton<WatchJournal>();
        services.AddSingleton<PresenceWatches>();
        services.TryAddSingleton<IPresencePolicy, SignedInPresencePolicy>();
        services.AddSingleton<PresenceReader>();
        services.AddSingleton<LookupLimit>();
        services.AddSingleton<ConnectionMetrics>();
        services.AddSingleton<GracefulCloseTracker>();
        services.AddSingleton<HubLifetimeManager<PresenceHub>, PresenceLifetimeManager>();
        services.AddHostedService<LeaseRenewalService>();
        services.AddHostedService<DisconnectRetryService>();
        services.AddHostedService<WatchTables>();
        services.AddHostedService<WatchAudit>();
        services.AddHostedService<PolicyRenewal>();
        services.AddHostedService<TokenExpiry>();
        services.AddSignalR(hub =>
        {
            hub.AddFilter<UnavailableFilter>();
            hub.ClientTimeoutInterval = HubEndpoint.ClientTimeout;
            hub.KeepAliveInterval = HubEndpoint.ClientTimeout / 2;
            // A full list of watched users, at 39 bytes each.
            hub.MaximumReceiveMessageSize = 64 * 1024;
        });

        // It has the framework's protocol name, so that it replaces the framework's: the last registration is used.
        services.AddSingleton<IHubProtocol>(provider =>
            new PlainErrorsProtocol(new OptionalArgumentsProtocol(
                new JsonHubProtocol(provider.GetRequiredService<IOptions<JsonHubProtocolOptions>>()))));
        return services;
    }

    /// <summary>
    /// Maps <c>/hubs/pulse</c>. <see cref="TokenExpiry"/> closes sockets with an expired token, because SignalR's own check does not
    /// support a new token.
    /// </summary>
    public static void MapPresenceHub(this IEndpointRouteBuilder endpoints, string corsPolicy) => endpoints.MapHub<PresenceHub>(HubEndpoint.Path, connections =>
        // SignalR sends no pings to a client that polls, and disconnects it 15 s (ConnectionOptions.DisconnectTimeout) after its last poll
        // was answered. With the framework's 90 s for a poll, a sleeping client would count as present for 105 s. This value makes it
        // ClientTimeout, as for the other transports.
        connections.LongPolling.PollTimeout = HubEndpoint.ClientTimeout / 2)
        .RequireCors(corsPolicy)
        // The user's grain refuses the connection.
        .WithMetadata(new ChecksUserAccess());

    /// <summary>
    /// The hub's middleware before authentication: refuses sockets while this front end drains, and observes the end of each one.
    /// </summary>
    public static void UsePresenceHub(this IApplicationBuilder app)
    {
        // Resolved only so that the metrics exist. Other services ignore them.
        app.ApplicationServices.GetRequiredService<ConnectionMetrics>();
        app.Use(app.ApplicationServices.GetRequiredService<HubAdmission>().RefuseAsync);
        app.Use(app.ApplicationServices.GetRequiredService<HubOrigins>().RefuseAsync);
        app.UseWebSockets();
        app.Use(HubFlow.BeginAsync);
        app.Use(SocketClosure.ObserveAsync);
        app.Use(app.ApplicationServices.GetRequiredService<GracefulCloseTracker>().ObserveAsync);
    }

    /// <summary>Limits the rate of new sockets. Place it after authorization.</summary>
    public static void UseHubAdmission(this IApplicationBuilder app) => app.Use(app.ApplicationServices.GetRequiredService<HubAdmission>().AdmitAsync);
}
