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

/// <summary>The hub and the state behind it.</summary>
internal static class PresenceHubExtensions
{
    public static IServiceCollection AddPresenceHub(this IServiceCollection services)
    {
        services.AddOptions<HeartbeatOptions>().BindConfiguration(HeartbeatOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<HubAdmission>();
        services.AddSingleton<HubOrigins>();
        services.AddSingleton<FrontEnd>();
        services.AddSingleton<FrontEndReference>();
        services.AddSingleton<IFrontEndObserver, FrontEndObserver>();
        services.AddJson(PresenceJson.Default);
        services.AddSingleton<WatchJournal>();
        services.AddSingleton<PresenceWatches>();
        services.TryAddSingleton<IPresencePolicy, SignedInPresencePolicy>();
        services.AddSingleton<PresenceReader>();
        services.AddSingleton<LookupLimit>();
        services.AddSingleton<FrontEndMetrics>();
        services.AddSingleton<HttpGoodbyes>();
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
            // A whole list of users to watch, at 39 bytes each.
            hub.MaximumReceiveMessageSize = 64 * 1024;
        });

        // By the same name as the framework's: the last one registered is used.
        services.AddSingleton<IHubProtocol>(provider =>
            new PlainErrorsProtocol(new OptionalArgumentsProtocol(
                new JsonHubProtocol(provider.GetRequiredService<IOptions<JsonHubProtocolOptions>>()))));
        return services;
    }

    /// <summary>Maps <c>/hubs/pulse</c>. <see cref="TokenExpiry"/> closes sockets whose token runs out: SignalR's own way knows no new token.</summary>
    public static void MapPresenceHub(this IEndpointRouteBuilder endpoints, string corsPolicy) => endpoints.MapHub<PresenceHub>(HubEndpoint.Path, connections =>
        // SignalR sends no pings to a client that polls, and gives it up 15 s (ConnectionOptions.DisconnectTimeout) after its last poll was
        // answered. With the framework's 90 s for a poll, a client that sleeps would count as present for 105 s. This way it is
        // ClientTimeout, as for the other transports.
        connections.LongPolling.PollTimeout = HubEndpoint.ClientTimeout / 2)
        .RequireCors(corsPolicy)
        // The user's grain refuses the connection.
        .WithMetadata(new ChecksUserAccess());

    /// <summary>What the hub needs of the pipeline before authentication: takes no sockets while this front end leaves, and has each one's end observed.</summary>
    public static void UsePresenceHub(this IApplicationBuilder app)
    {
        // Nobody else needs it: it only has to be there.
        app.ApplicationServices.GetRequiredService<FrontEndMetrics>();
        app.Use(app.ApplicationServices.GetRequiredService<HubAdmission>().RefuseAsync);
        app.Use(app.ApplicationServices.GetRequiredService<HubOrigins>().RefuseAsync);
        app.UseWebSockets();
        app.Use(HubFlow.BeginAsync);
        app.Use(SocketClosure.ObserveAsync);
        app.Use(app.ApplicationServices.GetRequiredService<HttpGoodbyes>().ObserveAsync);
    }

    /// <summary>Bounds how many sockets come at once. After authorization.</summary>
    public static void UseHubAdmission(this IApplicationBuilder app) => app.Use(app.ApplicationServices.GetRequiredService<HubAdmission>().AdmitAsync);
}
