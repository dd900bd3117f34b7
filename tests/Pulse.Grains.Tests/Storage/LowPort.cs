using System.Net;
using System.Net.Sockets;

namespace Pulse.Grains.Tests.Storage;

/// <summary>
/// Ports below the range from which the kernel takes those of outgoing connections. A server that restarts on such a port finds it free.
/// </summary>
internal static class LowPort
{
    /// <summary>Listens on a free one.</summary>
    public static TcpListener Listen()
    {
        while (true)
        {
            var listener = new TcpListener(IPAddress.Loopback, Random.Shared.Next(10_000, 30_000));
            try
            {
                listener.Start();
                return listener;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
                listener.Dispose();
            }
        }
    }

    /// <summary>A free one, for another process.</summary>
    public static int Find()
    {
        using var listener = Listen();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
