namespace Pulse.Grains.Identity;

/// <summary>Which of one user's hub tickets have been used, for as long as each would be accepted otherwise.</summary>
internal sealed class UsedTickets(TimeProvider time)
{
    private readonly Dictionary<Guid, DateTimeOffset> _expiries = [];

    /// <summary>Whether nothing has to be remembered.</summary>
    public bool IsEmpty
    {
        get
        {
            Forget();
            return _expiries.Count == 0;
        }
    }

    /// <summary>Uses a ticket.</summary>
    /// <returns><see langword="false"/> when it was used before, or has expired.</returns>
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
