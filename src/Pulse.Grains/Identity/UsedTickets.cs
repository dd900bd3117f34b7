namespace Pulse.Grains.Identity;

/// <summary>The used hub tickets of one user, kept until each would expire anyway.</summary>
internal sealed class UsedTickets(TimeProvider time)
{
    /// <summary>How many are kept. A user connects far less often, so more tickets within their lifetime of a minute are a flood, and are refused.</summary>
    public const int AtMost = 1_000;

    private readonly HashSet<Guid> _used = [];
    private readonly PriorityQueue<Guid, DateTimeOffset> _byExpiry = new();

    /// <summary>Whether all remembered tickets have expired.</summary>
    public bool IsEmpty
    {
        get
        {
            Forget();
            return _used.Count == 0;
        }
    }

    /// <summary>Uses a ticket.</summary>
    /// <returns><see langword="false"/> if it was used before or has expired, or if the user has used too many.</returns>
    public bool TryUse(Guid ticketId, DateTimeOffset expiresAt)
    {
        Forget();
        if (expiresAt <= time.GetUtcNow() || _used.Count >= AtMost || !_used.Add(ticketId)) return false;
        _byExpiry.Enqueue(ticketId, expiresAt);
        return true;
    }

    private void Forget()
    {
        var now = time.GetUtcNow();
        while (_byExpiry.TryPeek(out var id, out var expiresAt) && expiresAt <= now)
        {
            _byExpiry.Dequeue();
            _used.Remove(id);
        }
    }
}
