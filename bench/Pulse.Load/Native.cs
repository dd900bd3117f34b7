using System.Runtime.InteropServices;

namespace Pulse.Load;

/// <summary>The few libc calls of the generator (Linux x64): non-blocking IPv4 sockets and epoll.</summary>
internal static unsafe partial class Native
{
    public const int EpollIn = 0x1, EpollOut = 0x4, EpollError = 0x8, EpollHangUp = 0x10, EpollPeerClosed = 0x2000;
    public const uint EpollEdge = 1u << 31;
    public const int Again = 11, InProgress = 115;
    private const int EpollAdd = 1, NoSignal = 0x4000;

    [StructLayout(LayoutKind.Sequential, Pack = 4)]
    public struct Event
    {
        public uint Flags;
        public int Index, Generation;
    }

    private struct TimeSpec { public long Seconds, Nanoseconds; }

    private struct Address
    {
        public ushort Family, Port;
        public uint Host;
        public ulong Zero;
    }

    [LibraryImport("libc", SetLastError = true)] private static partial int socket(int domain, int type, int protocol);
    [LibraryImport("libc", SetLastError = true)] private static partial int connect(int fd, Address* address, int length);
    [LibraryImport("libc", SetLastError = true)] private static partial int setsockopt(int fd, int level, int name, int* value, int length);
    [LibraryImport("libc")] private static partial int getsockopt(int fd, int level, int name, int* value, int* length);
    [LibraryImport("libc", SetLastError = true)] private static partial nint send(int fd, byte* data, nint length, int flags);
    [LibraryImport("libc", SetLastError = true)] private static partial nint recv(int fd, byte* data, nint length, int flags);
    [LibraryImport("libc")] private static partial int close(int fd);
    [LibraryImport("libc", SetLastError = true)] private static partial int epoll_create1(int flags);
    [LibraryImport("libc", SetLastError = true)] private static partial int epoll_ctl(int epoll, int op, int fd, Event* ev);
    [LibraryImport("libc", SetLastError = true)] private static partial int epoll_pwait2(int epoll, Event* events, int max, TimeSpec* timeout, void* mask);

    public static int LastError => Marshal.GetLastPInvokeError();

    public static int CreateEpoll() => Check(epoll_create1(0));

    /// <summary>Starts a connection and watches it, edge-triggered, for all events.</summary>
    public static int StartConnect(int epoll, uint host, ushort port, int index, int generation)
    {
        const int inet = 2, stream = 1, nonBlocking = 0x800, closeOnExec = 0x80000, tcp = 6, noDelay = 1;
        int fd = Check(socket(inet, stream | nonBlocking | closeOnExec, 0)), one = 1;
        Check(setsockopt(fd, tcp, noDelay, &one, sizeof(int)));
        var address = new Address { Family = inet, Host = host, Port = (ushort)(port << 8 | port >> 8) };
        if (connect(fd, &address, sizeof(Address)) < 0 && LastError != InProgress) { close(fd); return -1; }
        var ev = new Event
        {
            Flags = EpollIn | EpollOut | EpollPeerClosed | EpollEdge,
            Index = index,
            Generation = generation,
        };
        Check(epoll_ctl(epoll, EpollAdd, fd, &ev));
        return fd;
    }

    public static bool IsConnected(int fd)
    {
        int error = 0, length = sizeof(int);
        return getsockopt(fd, 1, 4, &error, &length) == 0 && error == 0;
    }

    public static bool Send(int fd, ReadOnlySpan<byte> data)
    {
        fixed (byte* p = data) return send(fd, p, data.Length, NoSignal) == data.Length;
    }

    public static int Receive(int fd, Span<byte> into)
    {
        fixed (byte* p = into) return (int)recv(fd, p, into.Length, 0);
    }

    public static int Wait(int epoll, Span<Event> events, long nanoseconds)
    {
        var timeout = new TimeSpec { Seconds = nanoseconds / 1_000_000_000, Nanoseconds = nanoseconds % 1_000_000_000 };
        fixed (Event* p = events) return Math.Max(0, epoll_pwait2(epoll, p, events.Length, &timeout, null));
    }

    /// <summary>Closes with FIN, or with RST when abrupt.</summary>
    public static void Close(int fd, bool abrupt)
    {
        long linger = 1; // struct linger { on = 1, seconds = 0 }
        if (abrupt) setsockopt(fd, 1, 13, (int*)&linger, sizeof(long));
        close(fd);
    }

    private static int Check(int result) =>
        result >= 0 ? result : throw new IOException($"libc: {Marshal.GetPInvokeErrorMessage(LastError)}");
}
