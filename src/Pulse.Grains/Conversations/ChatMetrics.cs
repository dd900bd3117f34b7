using System.Diagnostics.Metrics;
using Pulse.Conversations;

namespace Pulse.Grains.Conversations;

/// <summary>The meter <c>Pulse.Chat</c> of a silo. Its tags are free of ids and texts.</summary>
internal sealed class ChatMetrics
{
    private readonly Counter<long> _entries;
    private readonly Counter<long> _repeats;
    private readonly Counter<long> _fencedRuns;
    private readonly Counter<long> _claims;
    private readonly UpDownCounter<long> _undelivered;
    private readonly Histogram<int> _runSize;
    private readonly Histogram<double> _commitDuration;

    public ChatMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Pulse.Chat");
        _entries = meter.CreateCounter<long>("pulse.chat.entries", "{entry}", "Entries that were committed.");
        _repeats = meter.CreateCounter<long>("pulse.chat.repeats", "{call}", "Calls that were answered with the entry of an earlier call.");
        _fencedRuns = meter.CreateCounter<long>("pulse.chat.fenced_runs", "{run}", "Runs that the database refused, because the conversation has another epoch or head.");
        _claims = meter.CreateCounter<long>("pulse.chat.claims", "{claim}", "Claims: the first of each activation, and those after an unknown outcome.");
        _undelivered = meter.CreateUpDownCounter<long>("pulse.chat.undelivered", "{entry}", "Entries that were sent to front ends which have not answered yet.");
        _runSize = meter.CreateHistogram<int>("pulse.chat.run.size", "{entry}", "Entries of one run.");
        _commitDuration = meter.CreateHistogram<double>("pulse.chat.commit.duration", "s", "Time from handing a run to the database to its answer.", null, new() { HistogramBucketBoundaries = [.. ChatDurations.Seconds] });
    }

    /// <summary>Counts a run that was committed.</summary>
    public void Committed(int entries, TimeSpan duration)
    {
        _entries.Add(entries);
        _runSize.Record(entries);
        _commitDuration.Record(duration.TotalSeconds);
    }

    /// <summary>Counts a call that was answered with the entry of an earlier call.</summary>
    public void Repeat() => _repeats.Add(1);

    /// <summary>Counts a run that was refused.</summary>
    public void Fenced() => _fencedRuns.Add(1);

    /// <summary>Counts entries that are sent to a front end, or, negative, whose call has ended.</summary>
    public void Undelivered(int entries) => _undelivered.Add(entries);

    /// <summary>Counts a claim.</summary>
    public void Claim() => _claims.Add(1);
}
