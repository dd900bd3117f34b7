using System.Net;
using System.Net.Sockets;
using Orleans.Configuration;
using Pulse.Silo.Startup;
using StackExchange.Redis;

namespace Pulse.Silo.Clustering;

/// <summary>Joins this process to its cluster: the one in Redis, or its own on loopback.</summary>
internal static class ClusteringSetup
{
    public static ISiloBuilder UsePulseClustering(this ISiloBuilder silo, ClusterSettings settings, ConfigurationOptions? redis)
    {
        silo.Configure<ClusterOptions>(cluster =>
        {
            cluster.ClusterId = settings.ClusterId;
            cluster.ServiceId = settings.ServiceId;
        });

        // The port is only a part of the silo's name. The silo listens on none (ClusterSockets).
        if (redis is null) return silo.UseLocalhostClustering(gatewayPort: 0, serviceId: settings.ServiceId, clusterId: settings.ClusterId);

        var siloPort = settings.SiloPort == 0 ? FreePort() : settings.SiloPort;
        var gatewayPort = settings.GatewayPort == 0 ? FreePort() : settings.GatewayPort;
        silo.Services.AddSingleton<SiloPorts>();

        // The validator of the settings reports what is no address.
        var advertised = IPAddress.TryParse(settings.AdvertisedAddress, out var address) ? address : null;
        silo.Configure<EndpointOptions>(endpoint =>
        {
            endpoint.SiloPort = siloPort;
            endpoint.GatewayPort = gatewayPort;
            if (advertised is not null) endpoint.AdvertisedIPAddress = advertised;
        });
        silo.UseRedisClustering(options =>
        {
            options.ConfigurationOptions = redis.Clone();

            // StoresStartup has just reached Redis. If Redis has become unavailable again, the driver connects later.
            options.ConfigurationOptions.AbortOnConnectFail = false;
        });
        silo.Services.AddHostedService<MembershipRestorer>();

        // A dead or paused silo is detected in about 15 s instead of a minute: after three missed probes of the longest timeout. Front ends
        // that were its clients then still have time to renew elsewhere. When a silo restarts on another port, its predecessor's entry
        // becomes stale soon (three missed announcements).
        return silo.Configure<ClusterMembershipOptions>(membership =>
        {
            membership.ProbeTimeout = TimeSpan.FromSeconds(3);
            membership.MaxProbeTimeout = TimeSpan.FromSeconds(4);
            membership.NumMissedProbesLimit = 3;
            membership.IAmAliveTablePublishTimeout = TimeSpan.FromSeconds(3);
            membership.TableRefreshTimeout = TimeSpan.FromSeconds(10);
        });
    }

    // Another process may take the port before the silo binds it. That fails with a clear error, and only tests and demos use 0.
    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
