namespace Pulse.Web.Connections;

/// <summary>How much one client may ask for: an amount at once, that comes back at a rate. Not thread-safe.</summary>
internal struct Budget(int perSecond, int atOnce)
{
    private double _left = atOnce;
    private DateTimeOffset _at;

    /// <summary>Spends that much.</summary>
    /// <returns><see langword="false"/>, and nothing is spent, when less is left.</returns>
    public bool TrySpend(DateTimeOffset at, int amount)
    {
        // A clock that is set back gives nothing, and takes nothing either.
        _left = Math.Min(atOnce, _left + (Math.Max(0, (at - _at).TotalSeconds) * perSecond));
        _at = at;
        if (_left < amount) return false;
        _left -= amount;
        return true;
    }
}
