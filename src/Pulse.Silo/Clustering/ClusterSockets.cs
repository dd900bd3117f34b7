using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace Pulse.Silo.Clustering;

/// <summary>
/// The sockets between front ends and silos, and among silos. They are Kestrel's, and close when sent data is not acknowledged in time.
/// </summary>
/// <remarks>
/// If packets are lost while ports stay open, Linux retransmits for a quarter of an hour, and a front end uses the silo as a gateway for as
/// long. Orleans' own sockets lack a setting for it, and keep-alive is suspended while data is in transit.
/// </remarks>
public static class ClusterSockets
{
    // TCP_USER_TIMEOUT (RFC 5482, tcp(7)) in milliseconds. .NET has no constant for it.
    private const int TcpUserTimeout = 18;

    // Shorter than the timeout of a grain call.
    private static readonly TimeSpan s_userTimeout = TimeSpan.FromSeconds(6);

    /// <summary>Replaces Orleans' sockets. Call it after Orleans has been added.</summary>
    public static void AddClusterSockets(this IServiceCollection services)
    {
        // The keys are Orleans' own and private, so they are taken from the registrations.
        foreach (var theirs in services.Where(service => service.IsKeyedService).ToArray())
        {
            if (theirs.ServiceType == typeof(IConnectionFactory))
            {
                services.Remove(theirs);
                services.AddKeyedSingleton<IConnectionFactory, Outgoing>(theirs.ServiceKey);
            }
            else if (theirs.ServiceType == typeof(IConnectionListenerFactory))
            {
                services.Remove(theirs);
                services.AddKeyedSingleton<IConnectionListenerFactory>(theirs.ServiceKey, (provider, _) => Incoming(provider.GetRequiredService<ILoggerFactory>()));
            }
        }
    }

    /// <summary>
    /// Replaces Orleans' listening sockets by dummies, for a silo that is its own cluster. Call it after Orleans has been added.
    /// </summary>
    public static void AddNoClusterSockets(this IServiceCollection services)
    {
        foreach (var theirs in services.Where(service => service.IsKeyedService && service.ServiceType == typeof(IConnectionListenerFactory)).ToArray())
        {
            services.Remove(theirs);
            services.AddKeyedSingleton<IConnectionListenerFactory, NoListeners>(theirs.ServiceKey);
        }
    }

    // Unlimited read-ahead, as in Orleans' own sockets, because a message may be longer and is taken from the buffer as a whole.
    private static SocketTransportFactory Incoming(ILoggerFactory loggers) => new(
        Options.Create(new SocketTransportOptions
        {
            MaxReadBufferSize = null,
            MaxWriteBufferSize = null,
            // Accepted sockets inherit the option.
            CreateBoundListenSocket = endPoint => Impatient(SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint)),
        }),
        loggers);

    private static Socket Impatient(Socket socket)
    {
        if (OperatingSystem.IsLinux()) socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, TcpUserTimeout, BitConverter.GetBytes((int)s_userTimeout.TotalMilliseconds));
        return socket;
    }

    private sealed class Outgoing(ILoggerFactory loggers) : IConnectionFactory, IDisposable
    {
        private readonly SocketConnectionContextFactory _connections = new(
            new() { MaxReadBufferSize = null, MaxWriteBufferSize = null }, loggers.CreateLogger<Outgoing>());

        public async ValueTask<ConnectionContext> ConnectAsync(EndPoint endpoint, CancellationToken cancellationToken)
        {
            var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await Impatient(socket).ConnectAsync(endpoint, cancellationToken);
                return _connections.Create(socket);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        public void Dispose() => _connections.Dispose();
    }

    private sealed class NoListeners : IConnectionListenerFactory
    {
        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => new(new NoListener(endpoint));
    }

    /// <summary>Accepts nothing until it is stopped.</summary>
    private sealed class NoListener(EndPoint endpoint) : IConnectionListener
    {
        private readonly TaskCompletionSource<ConnectionContext?> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public EndPoint EndPoint => endpoint;

        public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) => new(_end.Task.WaitAsync(cancellationToken));

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            _end.TrySetResult(null);
            return default;
        }

        public ValueTask DisposeAsync() => UnbindAsync();
    }
}
