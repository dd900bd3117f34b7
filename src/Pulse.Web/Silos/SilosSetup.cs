using Orleans.Clustering.Redis;
using Orleans.Configuration;
using Pulse.Silo;
using Pulse.Silo.Clock;
using Pulse.Silo.Clustering;
using Pulse.Silo.Health;
using Pulse.Silo.Startup;
using Pulse.Silo.Telemetry;
using Pulse.Web.Http;
using StackExchange.Redis;

namespace Pulse.Web.Silos;

/// <summary>Connects this front end to the silos: in this process, or in other processes that are found through Redis.</summary>
internal static class SilosSetup
{
    private const string Setting = "Pulse:Silo";

    /// <summary>
    /// Hosts a silo here (<c>InProcess</c>, the default), or makes this process a client of external ones (<c>External</c>).
    /// </summary>
    /// <exception cref="StartException"><c>Pulse:Silo</c> has another value, or a required setting is missing.</exception>
    public static void AddSilos(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IOutgoingGrainCallFilter, GrainCallRetry>();
        var silo = builder.Configuration[Setting];
        if (string.IsNullOrEmpty(silo) || silo.Equals("InProcess", StringComparison.OrdinalIgnoreCase)) builder.AddPulseSilo();
        else if (silo.Equals("External", StringComparison.OrdinalIgnoreCase)) builder.AddSiloClient();
        else throw new StartException($"{Setting} is '{silo}'; it is InProcess (the default) or External.");
    }

    /// <summary>Answers requests that need silos with 503 while none is reachable. Does nothing if the silo is in this process.</summary>
    public static void UseSilos(this WebApplication app)
    {
        if (app.Services.GetService<SiloConnectionMonitor>() is not { } link) return;

        // Health, the start page and the public keys handle unavailable silos themselves.
        app.Use((context, next) => link.IsUp || !NeedsSilos(context) ? next(context) : ProblemTypes.Unavailable.WriteAsync(context, SiloConnectionMonitor.DownMessage));
    }

    // Programs that verify tokens read the public keys, and must go on while all silos restart.
    private static bool NeedsSilos(HttpContext context) => context.GetEndpoint() is not null && context.Request.Path != "/"
        && !context.Request.Path.StartsWithSegments("/health") && !context.Request.Path.StartsWithSegments("/.well-known");

    private static void AddSiloClient(this IHostApplicationBuilder builder)
    {
        if (PulseSilo.RedisOf(builder.Configuration) is not { } redis)
        {
            throw new StartException(
                $"{Setting} is External but ConnectionStrings:Redis is not set. Give the Redis that the silos use, or leave {Setting} out to host a silo here.");
        }

        var services = builder.Services;
        services.AddClusterSettings();
        services.AddSteadyClock();
        services.AddSingleton<StartWait>();
        services.AddSingleton<SiloConnectionMonitor>();
        services.AddSingleton<IClusterConnectionStatusObserver>(provider => provider.GetRequiredService<SiloConnectionMonitor>());
        services.AddSingleton<ILifecycleParticipant<IClusterClientLifecycle>>(provider => provider.GetRequiredService<SiloConnectionMonitor>());
        services.AddHostedService(provider => provider.GetRequiredService<SiloConnectionMonitor>());
        services.AddHealthChecks().AddCheck<SiloConnectionMonitor>("silos", tags: [HealthEndpoints.ReadyTag]);

        // The client waits for a silo, whatever the start order of the processes. This process already reports that on /health/ready
        // meanwhile.
        services.Configure<HostOptions>(host => host.ServicesStartConcurrently = true);
        builder.UseOrleansClient(client =>
        {
            client.Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = ("pulse", "pulse"));
            client.Configure<ClusterOptions>(builder.Configuration.GetSection("Pulse:Cluster"));
            client.UseRedisClustering(options => options.ConfigurationOptions = redis.Clone());
            services.AddOptions<RedisClusteringOptions>().Configure<StartWait, IHostApplicationLifetime>((options, wait, lifetime) =>
                options.CreateMultiplexer = async given => (await ConnectAsync(given.ConfigurationOptions!, wait, lifetime.ApplicationStopping), IsShared: false));
            client.UseConnectionRetryFilter<ConnectRetryFilter>();
            client.AddPulseTracing(builder);

            // Within this time new silos get load, and a cluster that was replaced as a whole is found again.
            client.Configure<GatewayOptions>(gateways => gateways.GatewayListRefreshPeriod = TimeSpan.FromSeconds(5));
            client.Configure<ClientMessagingOptions>(messaging => messaging.ResponseTimeout = PulseSilo.ResponseTimeout);

            // The client retries an unreachable silo repeatedly. After this timeout the waiting messages use another silo.
            client.Configure<ConnectionOptions>(connections => connections.OpenConnectionTimeout = TimeSpan.FromSeconds(1));
        });
        services.AddClusterSockets();
        builder.AddClusterTls();
    }

    private static async Task<IConnectionMultiplexer> ConnectAsync(ConfigurationOptions redis, StartWait wait, CancellationToken stopping)
    {
        await wait.UntilAsync(
            "Redis", "ConnectionStrings:Redis", token => RedisRights.CheckAsync(redis, writes: false, token), stopping, isPatient: true);
        redis.AbortOnConnectFail = false;
        return await ConnectionMultiplexer.ConnectAsync(redis);
    }
}
