using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Pulse.Conversations;
using Pulse.Grains;
using Pulse.Grains.Conversations;
using Pulse.Grains.Identity;
using Pulse.Grains.Presence;
using Pulse.Grains.Presence.Watching;
using Pulse.Grains.Users;
using Pulse.Silo.Clock;
using Pulse.Silo.Clustering;
using Pulse.Silo.Health;
using Pulse.Silo.Startup;
using Pulse.Silo.Telemetry;
using StackExchange.Redis;

namespace Pulse.Silo;

/// <summary>Sets up a Pulse silo in a host: the silo's own process, or a front end in the in-process topology.</summary>
public static class PulseSilo
{
    /// <summary>Timeout of a grain call. A prompt "try again" serves a caller better than half a minute without an answer.</summary>
    public static readonly TimeSpan ResponseTimeout = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Time that a stopping silo waits for messages in transit, after it has notified its clients and again after it has handed over its
    /// grains.
    /// </summary>
    private static readonly TimeSpan s_leavePause = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Adds stores, presence and the Orleans silo, configured by <c>ConnectionStrings:*</c> and <c>Pulse:{Cluster,Presence}</c>.
    /// </summary>
    /// <remarks>Faulty connection strings are reported when the settings are validated, before their first use.</remarks>
    public static IHostApplicationBuilder AddPulseSilo(this IHostApplicationBuilder builder)
    {
        var connections = ConnectionStrings.From(builder.Configuration, hostsSilo: true);
        builder.AddPulseGrains(connections);

        var cluster = builder.Configuration.GetSection(ClusterSettings.SectionName).Get<ClusterSettings>() ?? new();
        builder.Services.AddClusterSettings();
        builder.UseOrleans(silo => silo.UsePulseClustering(cluster, connections.Redis).AddPulseGrainStorage().ConfigureGrains().AddPulseTracing(builder));

        // A silo that is its own cluster is spared the listening sockets.
        if (connections.Redis is null) builder.Services.AddNoClusterSockets();
        else builder.Services.AddClusterSockets();
        builder.AddClusterTls();
        return builder;
    }

    /// <summary>The Redis of <c>ConnectionStrings:Redis</c>, for a front end. <see langword="null"/> if it is not set.</summary>
    /// <remarks>
    /// A faulty setting results in options with an empty list of end points. It is reported when the settings are validated, before the
    /// first connection.
    /// </remarks>
    public static ConfigurationOptions? RedisOf(IConfiguration configuration) =>
        string.IsNullOrWhiteSpace(configuration.GetConnectionString("Redis")) ? null : ConnectionStrings.From(configuration, hostsSilo: false).Redis ?? new();

    /// <summary>Adds the settings of the cluster, which an external front end shares with its silos.</summary>
    public static void AddClusterSettings(this IServiceCollection services) =>
        services.AddOptions<ClusterSettings>().BindConfiguration(ClusterSettings.SectionName).ValidateDataAnnotations().ValidateOnStart();

    /// <summary>Adds the settings of the chat, which silos and front ends share; once for both in one process.</summary>
    public static void AddChatOptions(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(IConfigureOptions<ChatOptions>))) return;
        services.AddOptions<ChatOptions>().BindConfiguration(ChatOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
    }

    /// <summary>Adds all dependencies of grains, except the silo itself.</summary>
    /// <remarks>
    /// Call it before Orleans is added, because hosted services start in order and stop in reverse. The schema then exists before the first
    /// grain, and the last lastSeen is written after the last grain has stopped.
    /// </remarks>
    internal static void AddPulseGrains(this IHostApplicationBuilder builder, ConnectionStrings connections)
    {
        builder.Services.AddSteadyClock();
        builder.Services.AddPulseStores(new() { PostgresConnectionString = connections.Postgres, SqlitePath = Path.Combine(DataDirectory.Of(builder.Configuration), "pulse.db") });
        builder.Services.AddSingleton(connections);
        builder.Services.AddSingleton<StartWait>();
        if (connections.Postgres is null) builder.Services.AddHostedService(_ => new DataDirectoryLock(DataDirectory.Of(builder.Configuration)));
        builder.Services.AddHostedService<StoresStartup>();
        if (connections.Postgres is null) builder.Services.AddHostedService<PassingUsersRemoval>();
        builder.Services.AddSingleton<LastSeenWriter>();
        builder.Services.AddHostedService(services => services.GetRequiredService<LastSeenWriter>());
        builder.Services.AddOptions<SignInLinkOptions>().BindConfiguration(SignInLinkOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddOptions<SignInSessionOptions>().Bind(builder.Configuration.GetSection(SignInSessionOptions.SectionName)).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddHostedService<SessionSweep>();
        builder.Services.AddHostedService<AddressUpgrade>();
        builder.Services.AddChatOptions();
        builder.Services.AddSingleton<ConversationWriter>();
        builder.Services.AddSingleton<ChatMetrics>();
        builder.Services.AddSingleton<InboxTable>();
        builder.Services.AddSingleton<ErasedMembers>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ErasedMembers>());
        builder.Services.AddPresence(builder.Configuration, connections.Redis);
        builder.Services.AddSingleton<DatabaseHealthCheck>();
        builder.Services.AddHealthChecks()
            .AddCheck<SiloHealthCheck>("silo", tags: [HealthEndpoints.ReadyTag])
            .AddCheck<DatabaseHealthCheck>("database", tags: [HealthEndpoints.ReadyTag]);
    }

    private static void AddPresence(this IServiceCollection services, IConfiguration configuration, ConfigurationOptions? redis)
    {
        services.AddOptions<PresenceOptions>().Bind(configuration.GetSection(PresenceOptions.SectionName)).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<PresenceKeys>();
        services.AddSingleton<PresenceMetrics>();
        services.AddSingleton<WatchTable>();
        services.AddSingleton<SiloPauseGuard>();
        services.AddHostedService(provider => provider.GetRequiredService<SiloPauseGuard>());
        services.AddHostedService<KeyRenewalService>();
        services.AddHostedService<LeaseExpiryService>();
        if (redis is null)
        {
            services.AddSingleton<IPresenceIndex, MemoryPresenceIndex>();
            return;
        }

        services.AddSingleton<IConnectionMultiplexer>(_ => ConnectionMultiplexer.Connect(PresenceRedis.Configure(redis)));
        services.AddSingleton<IPresenceIndex, RedisPresenceIndex>();
        services.AddSingleton<RedisHealthCheck>();
        services.AddHealthChecks().AddCheck<RedisHealthCheck>("redis", tags: [HealthEndpoints.ReadyTag]);
    }

    internal static ISiloBuilder ConfigureGrains(this ISiloBuilder silo)
    {
        silo.AddPlacementDirector<OnItsSilo, OnItsSiloDirector>();

        // Created only so that the gauges exist. Otherwise the first user's grain would create them, and monitoring would miss the silo
        // until then.
        silo.AddStartupTask((services, _) =>
        {
            services.GetRequiredService<PresenceMetrics>();
            return Task.CompletedTask;
        });

        // An unused grain is deactivated soon, so that memory depends on the number of present users instead of all users.
        silo.Configure<GrainCollectionOptions>(collection =>
        {
            collection.CollectionAge = TimeSpan.FromMinutes(3);
            collection.CollectionQuantum = TimeSpan.FromMinutes(1);
        });

        silo.Configure<SiloMessagingOptions>(messaging =>
        {
            messaging.ResponseTimeout = ResponseTimeout;

            // A stopping silo asks its clients to use other silos, and hands its grains over. By default it does not wait after either
            // step: requests that clients had sent, and answers that came back through it, would be lost with its sockets and time out.
            messaging.ClientGatewayShutdownNotificationTimeout = s_leavePause;
            messaging.WaitForMessageToBeQueuedForOutboundTime = s_leavePause;

            // A front end whose connection is lost is then reached through the other silos. The default of 60 s would lose too many
            // messages.
            messaging.ClientDropTimeout = TimeSpan.FromSeconds(10);
        });
        silo.Configure<ClientMessagingOptions>(messaging => messaging.ResponseTimeout = ResponseTimeout);
        return silo;
    }
}
