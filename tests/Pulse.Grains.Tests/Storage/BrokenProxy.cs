using System.Net;
using System.Net.Sockets;

namespace Pulse.Grains.Tests.Storage;

/// <summary>A port in front of a server, which a test can cut off, silence and restore.</summary>
internal sealed class BrokenProxy : IAsyncDisposable
{
    private readonly string _host;
    private readonly int _port;
    private readonly List<Socket> _sockets = [];
    private TcpListener? _listener;
    private bool _silent;
    private int _accepted;
    private int _silenced;

    public BrokenProxy((string Host, int Port) server)
    {
        (_host, _port) = server;
        Listen(LowPort.Listen());
    }

    /// <summary>The port on 127.0.0.1, which is permanent.</summary>
    public int Port { get; private set; }

    /// <summary>Ends all connections and refuses new ones.</summary>
    public void Cut()
    {
        _listener?.Dispose();
        _listener = null;
        lock (_sockets)
        {
            foreach (var socket in _sockets) socket.Dispose();
            _sockets.Clear();
        }
    }

    /// <summary>Leaves all connections open and accepts new ones, but forwards no bytes.</summary>
    public void Silence() => Volatile.Write(ref _silent, true);

    /// <summary>Leaves existing connections open, but forwards no bytes over them. New ones work.</summary>
    public void SilenceEstablished() => Volatile.Write(ref _silenced, Volatile.Read(ref _accepted));

    /// <summary>Ends broken connections and forwards new ones.</summary>
    public void Restore()
    {
        Cut();
        Volatile.Write(ref _silent, false);
        var listener = new TcpListener(IPAddress.Loopback, Port);
        listener.Start();
        Listen(listener);
    }

    public ValueTask DisposeAsync()
    {
        Cut();
        return ValueTask.CompletedTask;
    }

    private void Listen(TcpListener listener)
    {
        Port = ((IPEndPoint)listener.LocalEndpoint).Port;
        _listener = listener;
        _ = AcceptAsync(listener);
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = Keep(await listener.AcceptSocketAsync());
                var server = Keep(new Socket(SocketType.Stream, ProtocolType.Tcp));
                await server.ConnectAsync(_host, _port);
                var number = Interlocked.Increment(ref _accepted);
                _ = PumpAsync(client, server, number);
                _ = PumpAsync(server, client, number);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            // The proxy was cut.
        }
    }

    private async Task PumpAsync(Socket from, Socket to, int number)
    {
        var buffer = new byte[8192];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count)
            {
                if (!IsSilent(number)) await to.SendAsync(buffer.AsMemory(0, count));
            }

            if (!IsSilent(number)) to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // One side is closed. The other learns of it by its own pump or by Cut.
        }
    }

    private bool IsSilent(int number) => Volatile.Read(ref _silent) || number <= Volatile.Read(ref _silenced);

    private Socket Keep(Socket socket)
    {
        lock (_sockets) _sockets.Add(socket);
        return socket;
    }
}
