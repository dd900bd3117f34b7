namespace Pulse.Grains.Identity;

/// <summary>The used hub tickets of one user, kept until each would expire anyway.</summary>
internal sealed class UsedTickets(TimeProvider time)
{
    private readonly Dictionary<Guid, DateTimeOffset> _expiries = [];

    /// <summary>Whether all remembered tickets have expired.</summary>
    public bool IsEmpty
    {
        get
        {
            Forget();
            return _expiries.Count == 0;
        }
    }

    /// <summary>Uses a ticket.</summary>
    /// <returns><see langword="false"/> if it was used before or has expired.</returns>
    public bool TryUse(Guid ticketId, DateTimeOffset expiresAt)
    {
        Forget();
        return expiresAt > time.GetUtcNow() && _expiries.TryAdd(ticketId, expiresAt);
    }

    private void Forget()
    {
        if (_expiries.Count == 0) return;
        var now = time.GetUtcNow();
        foreach (var (id, expiresAt) in _expiries)
        {
            if (expiresAt <= now) _expiries.Remove(id);
        }
    }
}
