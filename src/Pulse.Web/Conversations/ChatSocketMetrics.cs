using System.Diagnostics.Metrics;
using Pulse.Conversations;

namespace Pulse.Web.Conversations;

/// <summary>The meter <c>Pulse.Chat</c> of a front end. Its tags are free of ids and texts.</summary>
internal sealed class ChatSocketMetrics
{
    private readonly Counter<long> _behind;
    private readonly Counter<long> _healed;
    private readonly Histogram<double> _deliveryDuration;

    public ChatSocketMetrics(IMeterFactory meters, ChatSockets sockets)
    {
        var meter = meters.Create("Pulse.Chat");
        _behind = meter.CreateCounter<long>("pulse.chat.behind", "{socket}", "Open conversations that were closed on a socket, because its client read too slowly.");
        _healed = meter.CreateCounter<long>(
            "pulse.chat.subscriptions_healed", "{subscription}", "Subscriptions that were renewed at once, because entries were missing.");
        _deliveryDuration = meter.CreateHistogram<double>(
            "pulse.chat.delivery.duration", "s", "Time from the arrival of a run at the front end to the end of its write to one socket.", null,
            new() { HistogramBucketBoundaries = [.. ChatDurations.Seconds] });
        meter.CreateObservableGauge("pulse.chat.socket.waiting", () => sockets.MostWaitingBytes, "By", "The most that is kept for one socket whose client reads slowly.");
    }

    /// <summary>Records that a socket was written the newest entries.</summary>
    public void Delivered(TimeSpan duration) => _deliveryDuration.Record(duration.TotalSeconds);

    /// <summary>Counts a socket that could not keep up.</summary>
    public void Behind() => _behind.Add(1);

    /// <summary>Counts a subscription that lacked entries.</summary>
    public void Healed() => _healed.Add(1);
}
