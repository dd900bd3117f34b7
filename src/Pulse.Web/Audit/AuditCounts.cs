namespace Pulse.Web.Audit;

/// <summary>
/// Counts equal events of a minute, so that a flood of them is two lines: the first, and at the end of the minute one with the number of
/// the others.
/// </summary>
/// <remarks>
/// Events are equal if all their fields are. A client with many addresses or mailboxes gets at most <see cref="MaxKinds"/> lines. Further
/// events of that minute are counted by their kind alone.
/// </remarks>
internal sealed class AuditCounts : IDisposable
{
    /// <summary>Maximum number of different events with a line each in one minute.</summary>
    public const int MaxKinds = 1_000;

    /// <summary>Time for which equal events are counted.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Action<AuditLine, int> _write;
    private readonly ITimer _timer;
    private Dictionary<AuditLine, int> _more = [];

    /// <param name="time">The clock.</param>
    /// <param name="write">Writes a line that represents that many events.</param>
    public AuditCounts(TimeProvider time, Action<AuditLine, int> write)
    {
        _write = write;
        _timer = time.CreateTimer(_ => Flush(), null, Interval, Interval);
    }

    /// <summary>Counts an event.</summary>
    /// <returns>Whether the caller must write it. Otherwise it is part of the count.</returns>
    public bool IsFirst(AuditLine line)
    {
        lock (_gate)
        {
            if (!_more.ContainsKey(line) && _more.Count >= MaxKinds) line = new(line.Kind, null, null, null, null, null, line.Reason);
            var isKnown = _more.TryGetValue(line, out var more);
            _more[line] = isKnown || _more.Count >= MaxKinds ? more + 1 : 0;
            return _more[line] == 0;
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        Flush();
    }

    private void Flush()
    {
        Dictionary<AuditLine, int> counted;
        lock (_gate)
        {
            if (_more.Count == 0) return;
            (counted, _more) = (_more, []);
        }

        foreach (var (line, more) in counted.Where(pair => pair.Value > 0)) _write(line, more);
    }
}
