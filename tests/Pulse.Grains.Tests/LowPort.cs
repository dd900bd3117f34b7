using System.Net;
using System.Net.Sockets;

namespace Pulse.Grains.Tests;

/// <summary>
/// Ports below the range from which the kernel takes those of outgoing connections, and none that Chromium blocks. A server that restarts on
/// such a port finds it free.
/// </summary>
internal static class LowPort
{
    /// <summary>Listens on a free one.</summary>
    public static TcpListener Listen()
    {
        while (true)
        {
            var listener = new TcpListener(IPAddress.Loopback, Random.Shared.Next(20_000, 32_768));
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
