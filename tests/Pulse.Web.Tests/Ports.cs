using System.Net;
using System.Net.Sockets;

namespace Pulse.Web.Tests;

/// <summary>Ports of processes that a test starts.</summary>
internal static class Ports
{
    /// <summary>A port on which no process listens.</summary>
    /// <remarks>
    /// Below the range from which Linux takes the ports of all sockets that ask for none (ip(7)), because such a socket could otherwise take the
    /// port while the process of the test does not listen yet, or is restarted.
    /// </remarks>
    public static int Free()
    {
        while (true)
        {
            var port = Random.Shared.Next(20_000, 32_768);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Another process listens there.
            }
        }
    }
}
