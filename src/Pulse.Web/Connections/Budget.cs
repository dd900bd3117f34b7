namespace Pulse.Web.Connections;

/// <summary>Rate limit of one client: a burst that refills at a rate. Not thread-safe.</summary>
internal struct Budget(int perSecond, int atOnce)
{
    private double _left = atOnce;
    private DateTimeOffset _at;

    /// <summary>Spends that amount.</summary>
    /// <returns><see langword="false"/>, with the budget unchanged, if less is left.</returns>
    public bool TrySpend(DateTimeOffset at, int amount)
    {
        // A clock that is set back leaves the budget as it is.
        _left = Math.Min(atOnce, _left + (Math.Max(0, (at - _at).TotalSeconds) * perSecond));
        _at = at;
        if (_left < amount) return false;
        _left -= amount;
        return true;
    }
}
