using System.Diagnostics;

namespace Pulse.Load;

internal enum Stage : byte
{
    Closed,
    Connecting,
    Upgrading,
    Greeting,
    Open,
    Leaving,
}

/// <summary>One user's connection; it can be opened again and again.</summary>
internal sealed class Connection(int index, ushort port, byte[] upgrade, byte[] greeting)
{
    public int Index => index;

    public ushort Port => port;

    public int Fd { get; set; } = -1;

    /// <summary>Counts openings: an event of an earlier one is passed over.</summary>
    public int Generation { get; set; }

    public Stage Stage { get; set; }

    /// <summary>When the operation under way (connecting, or a call) began.</summary>
    public long Since { get; set; }

    public bool AwaitsAnswer { get; set; }

    /// <summary>An incomplete frame.</summary>
    public byte[] Rest { get; set; } = [];

    /// <summary>The earlier fragments of an incomplete message.</summary>
    public byte[] Fragments { get; set; } = [];

    /// <summary>The server has stopped reading: messages are small, and the send buffer is full.</summary>
    public bool Failed { get; set; }

    public double Elapsed => Stopwatch.GetElapsedTime(Since).TotalMicroseconds;

    public void Upgrade() => Send(upgrade);

    public void Greet() => Send(greeting);

    public void Send(ReadOnlySpan<byte> frames) => Failed |= !Native.Send(Fd, frames);
}
