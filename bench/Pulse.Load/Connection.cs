using System.Diagnostics;

namespace Pulse.Load;

internal enum Stage : byte
{
    Closed,
    Connecting,
    AskingForTicket,
    Upgrading,
    Greeting,
    Open,
    Leaving,
}

/// <summary>One user's connection, which can be opened repeatedly.</summary>
/// <param name="index">The user's number, from 0.</param>
/// <param name="port">The front end.</param>
/// <param name="ask">The request for a ticket, which opens the connection in place of a token; <see langword="null"/> for none.</param>
/// <param name="upgrade">The upgrade request, made with the ticket if there is one.</param>
/// <param name="greeting">The client's first message.</param>
internal sealed class Connection(int index, ushort port, byte[]? ask, Func<string?, byte[]> upgrade, byte[] greeting)
{
    public int Index => index;

    public ushort Port => port;

    public int Fd { get; set; } = -1;

    /// <summary>Counts openings, because events of an earlier one are ignored.</summary>
    public int Generation { get; set; }

    public Stage Stage { get; set; }

    /// <summary>The start of the operation in progress (connecting, or a call).</summary>
    public long Since { get; set; }

    public bool AwaitsAnswer { get; set; }

    /// <summary>An incomplete frame.</summary>
    public byte[] Rest { get; set; } = [];

    /// <summary>The earlier fragments of an incomplete message.</summary>
    public byte[] Fragments { get; set; } = [];

    /// <summary>The server has stopped reading: messages are small, and the send buffer is full.</summary>
    public bool Failed { get; set; }

    public double Elapsed => Stopwatch.GetElapsedTime(Since).TotalMicroseconds;

    /// <summary>The ticket that the server has given for this opening.</summary>
    public string? Ticket { get; set; }

    public bool NeedsTicket => ask is not null && Ticket is null;

    public void Ask() => Send(ask);

    public void Upgrade() => Send(upgrade(Ticket));

    public void Greet() => Send(greeting);

    public void Send(ReadOnlySpan<byte> frames) => Failed |= !Native.Send(Fd, frames);
}
