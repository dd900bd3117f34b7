using Pulse.Presence;

namespace Pulse.Grains.Tests.Presence.Watching;

/// <summary>The real state of a user, whatever messages have arrived: the definition that presence is compared with.</summary>
internal sealed class TrueUser(Guid id)
{
    private readonly List<Device> _open = [];
    private DateTimeOffset _graceUntil = DateTimeOffset.MinValue;

    public Guid Id => id;

    public IReadOnlyList<Device> Open => _open;

    public Device Connect(string frontEndId, DateTimeOffset now)
    {
        var device = new Device(frontEndId, now);
        _open.Add(device);
        _graceUntil = DateTimeOffset.MinValue;
        return device;
    }

    public void Close(Device device) => _open.Remove(device);

    public void Drop(Device device, DateTimeOffset now)
    {
        if (_open.Remove(device)) _graceUntil = now + SteppedCluster.Options.OfflineGrace;
    }

    /// <summary>The grain's acknowledgements about this user's invisible devices.</summary>
    public AcknowledgedInvisibility Invisibility { get; } = new();

    /// <summary>Connected, or expected to reconnect in a moment. Every other answer is wrong then.</summary>
    public bool IsHere(DateTimeOffset now) => _open.Count > 0 || now < _graceUntil;

    /// <summary>The state that others should see once all messages have arrived.</summary>
    public (PresenceStatus Status, string? Message) Shown(DateTimeOffset now)
    {
        if (_open.Count == 0 || _open.Any(device => device.Status == PresenceStatus.Invisible)) return (PresenceStatus.Offline, null);

        PresenceStatus[] order = [PresenceStatus.Busy, PresenceStatus.Online, PresenceStatus.Away];
        var status = order.First(candidate => _open.Any(device => device.StatusAt(now) == candidate));
        return (status, _open.Where(device => device.StatusAt(now) == status).MaxBy(device => device.StatusSetAt)!.Message);
    }
}

/// <summary>One open connection.</summary>
internal sealed class Device(string frontEndId, DateTimeOffset now)
{
    private readonly DateTimeOffset _connectedAt = now;
    private readonly string _connectionId = Guid.NewGuid().ToString("N");

    public string FrontEndId => frontEndId;

    public PresenceStatus Status { get; private set; } = PresenceStatus.Online;

    public string? Message { get; private set; }

    public DateTimeOffset StatusSetAt { get; private set; } = now;

    public DateTimeOffset ActiveAt { get; set; } = now;

    /// <summary>The client has stopped calling, but its socket is open.</summary>
    public bool IsIdle { get; set; }

    public void Set(PresenceStatus status, string? message, DateTimeOffset now) => (Status, Message, StatusSetAt, ActiveAt) = (status, message, now, now);

    public PresenceStatus StatusAt(DateTimeOffset now) =>
        Status == PresenceStatus.Online && now - ActiveAt >= SteppedCluster.Options.AwayAfter ? PresenceStatus.Away : Status;

    public ConnectionLease ToLease(DateTimeOffset now) => new()
    {
        ConnectionId = _connectionId,
        FrontEndId = frontEndId,
        SeenAt = now,
        Status = Status,
        Message = Message,
        StatusSetAt = StatusSetAt,
        ConnectedAt = _connectedAt,
        ActiveAt = ActiveAt,
    };
}
