using System.Diagnostics;
using static Pulse.Load.Native;

namespace Pulse.Load;

/// <summary>All connections, driven by one thread on one epoll.</summary>
internal sealed class Loop(IProtocol protocol, uint host, ushort[] ports, bool usesTickets = false)
{
    private static readonly long KeepAlivePeriod = 15 * Stopwatch.Frequency;

    private readonly int _epoll = CreateEpoll();
    private readonly Event[] _events = new Event[512];
    private readonly byte[] _buffer = new byte[256 * 1024];
    private readonly Queue<(Connection Connection, int Generation, long Due)> _keepAlives = new();
    private Connection[] _all = [];

    public Action<Connection> Connected { get; set; } = _ => { };

    public Action<Connection> Answered { get; set; } = _ => { };

    public Action<Connection> PresenceChanged { get; set; } = _ => { };

    /// <summary>Called for a closed connection: after <see cref="Leave"/> with true, after an error with false.</summary>
    public Action<Connection, bool> Closed { get; set; } = (_, _) => { };

    public Connection[] Create(int count, Jwt jwt)
    {
        _all = new Connection[count];
        for (int i = 0; i < count; i++)
        {
            var (port, token) = (ports[i % ports.Length], jwt.Mint(i));
            byte[]? ask = usesTickets ? Http.Post("/auth/hub-ticket", token) : null;
            byte[] byToken = WebSocketFrame.Upgrade(protocol.Target(token), port);
            _all[i] = new Connection(
                i, port, ask, ticket => ticket is null ? byToken : WebSocketFrame.Upgrade($"/hubs/pulse?ticket={ticket}", port), protocol.Greeting(token));
        }
        return _all;
    }

    public void Open(Connection c)
    {
        c.Ticket = null;
        c.Since = Stopwatch.GetTimestamp();
        Connect(c);
    }

    private void Connect(Connection c)
    {
        c.Stage = Stage.Connecting;
        c.Rest = c.Fragments = [];
        c.Failed = c.AwaitsAnswer = false;
        c.Fd = StartConnect(_epoll, host, c.Port, c.Index, ++c.Generation);
        if (c.Fd < 0) Close(c, false);
    }

    public void Heartbeat(Connection c) => Call(c, protocol.Heartbeat);

    /// <summary>Makes a call, one at a time per connection.</summary>
    public void Call(Connection c, byte[] invocation)
    {
        c.AwaitsAnswer = true;
        c.Since = Stopwatch.GetTimestamp();
        c.Send(invocation);
    }

    public void Leave(Connection c)
    {
        c.Stage = Stage.Leaving;
        c.Send(protocol.Goodbye);
    }

    /// <summary>Resets the connection, and reports it to no one.</summary>
    public void Drop(Connection c)
    {
        if (c.Fd >= 0) Native.Close(c.Fd, abrupt: true);
        (c.Fd, c.Stage) = (-1, Stage.Closed);
    }

    /// <summary>Waits for _events until the deadline at most, and handles one batch.</summary>
    public void Poll(long deadline)
    {
        deadline = Math.Min(deadline, SendKeepAlives());
        long wait = Math.Max(0, deadline - Stopwatch.GetTimestamp()) * (1_000_000_000 / Stopwatch.Frequency);
        int count = Wait(_epoll, _events, wait);
        foreach (ref readonly Event e in _events.AsSpan(0, count))
        {
            Connection c = _all[e.Index];
            if (c.Generation != e.Generation || c.Stage == Stage.Closed) continue;
            if (c.Stage == Stage.Connecting && (e.Flags & (EpollOut | EpollError | EpollHangUp)) != 0)
            {
                if (!IsConnected(c.Fd)) { Close(c, false); continue; }
                if (c.NeedsTicket)
                {
                    c.Stage = Stage.AskingForTicket;
                    c.Ask();
                }
                else
                {
                    c.Stage = Stage.Upgrading;
                    c.Upgrade();
                }
            }
            if ((e.Flags & (EpollIn | EpollPeerClosed | EpollError | EpollHangUp)) != 0)
                Receive(c, toEnd: (e.Flags & ~(EpollIn | EpollOut)) != 0);
            if (c.Failed && c.Stage != Stage.Closed) Close(c, false);
        }
    }

    /// <summary>
    /// Sends keep-alives as the real clients do: each 15 s, unless a heartbeat has just replaced one. Returns when the next is due.
    /// </summary>
    private long SendKeepAlives()
    {
        long now = Stopwatch.GetTimestamp();
        while (_keepAlives.TryPeek(out var next))
        {
            if (next.Due > now) return next.Due;
            var (c, generation, _) = _keepAlives.Dequeue();
            if (c.Generation != generation || c.Stage != Stage.Open) continue;
            if (now - c.Since > 10 * Stopwatch.Frequency) c.Send(protocol.KeepAlive);
            _keepAlives.Enqueue((c, generation, now + KeepAlivePeriod));
        }
        return long.MaxValue;
    }

    private void Receive(Connection c, bool toEnd)
    {
        int generation = c.Generation;
        while (c.Stage != Stage.Closed && c.Generation == generation)
        {
            int kept = c.Rest.Length;
            c.Rest.CopyTo(_buffer, 0);
            int n = Native.Receive(c.Fd, _buffer.AsSpan(kept));
            if (n < 0 && LastError == Again) return;
            if (n <= 0) { Close(c, c.Stage == Stage.Leaving); return; }
            ReadOnlySpan<byte> rest = Parse(c, _buffer.AsSpan(0, kept + n));
            if (c.Generation != generation) return;
            c.Rest = rest.IsEmpty ? [] : rest.ToArray();
            // A short read has emptied the socket. The next byte raises a new event.
            if (!toEnd && n < _buffer.Length - kept) return;
        }
    }

    private ReadOnlySpan<byte> Parse(Connection c, ReadOnlySpan<byte> data)
    {
        if (c.Stage == Stage.AskingForTicket)
        {
            if (!data.StartsWith("HTTP/1.1 200"u8)) { Close(c, false); return []; }
            int from = data.IndexOf("\"ticket\":\""u8) + "\"ticket\":\"".Length;
            int length = from < "\"ticket\":\"".Length ? -1 : data[from..].IndexOf((byte)'"');
            if (length < 0) return data;
            c.Ticket = System.Text.Encoding.ASCII.GetString(data.Slice(from, length));
            // A WebSocket gets a TCP connection of its own, as in a browser.
            Native.Close(c.Fd, abrupt: false);
            Connect(c);
            return [];
        }
        if (c.Stage == Stage.Upgrading)
        {
            int end = data.IndexOf("\r\n\r\n"u8);
            if (end < 0) return data;
            ReadOnlySpan<byte> head = data[..end];
            if (!head.StartsWith("HTTP/1.1 101"u8) || head.IndexOf(WebSocketFrame.Accept) < 0) { Close(c, false); return []; }
            data = data[(end + 4)..];
            c.Stage = Stage.Greeting;
            if (protocol.GreetsFirst) c.Greet();
        }
        int generation = c.Generation;
        while (WebSocketFrame.TryTake(ref data, out int opcode, out bool final, out var payload))
        {
            switch (opcode)
            {
                case WebSocketFrame.Close:
                    Close(c, c.Stage == Stage.Leaving);
                    break;
                case WebSocketFrame.Ping:
                    c.Send(WebSocketFrame.Encode(WebSocketFrame.Pong, payload));
                    break;
                case WebSocketFrame.Text or WebSocketFrame.Binary or WebSocketFrame.Continuation:
                    if (final && c.Fragments.Length == 0) { protocol.Read(c, payload, On); break; }
                    c.Fragments = [.. c.Fragments, .. payload];
                    if (!final) break;
                    byte[] message = c.Fragments;
                    c.Fragments = [];
                    protocol.Read(c, message, On);
                    break;
            }
            if (c.Generation != generation || c.Stage == Stage.Closed) return [];
        }
        return data;
    }

    private void On(Connection c, Signal signal)
    {
        switch (signal)
        {
            case Signal.Connected when c.Stage == Stage.Greeting:
                c.Stage = Stage.Open;
                if (protocol.KeepAlive is not null) _keepAlives.Enqueue((c, c.Generation, Stopwatch.GetTimestamp() + KeepAlivePeriod));
                Connected(c);
                break;
            case Signal.Completed when c.AwaitsAnswer:
                c.AwaitsAnswer = false;
                Answered(c);
                break;
            case Signal.PresenceChanged:
                PresenceChanged(c);
                break;
            case Signal.Failed when c.Stage != Stage.Leaving:
                Close(c, false);
                break;
        }
    }

    private void Close(Connection c, bool polite)
    {
        if (c.Fd >= 0) Native.Close(c.Fd, abrupt: false);
        (c.Fd, c.Stage) = (-1, Stage.Closed);
        Closed(c, polite);
    }
}
