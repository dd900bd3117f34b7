using System.Diagnostics.Metrics;

namespace Pulse.Web.Conversations;

/// <summary>The meter <c>Pulse.Chat</c> of a front end. Without ids and without texts.</summary>
internal sealed class ChatSocketMetrics
{
    private readonly Counter<long> _behind;
    private readonly Counter<long> _healed;

    public ChatSocketMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Pulse.Chat");
        _behind = meter.CreateCounter<long>("pulse.chat.behind", "{socket}", "Open conversations that were closed on a socket, because its client read too slowly.");
        _healed = meter.CreateCounter<long>(
            "pulse.chat.subscriptions_healed", "{subscription}", "Subscriptions that were renewed at once, because entries were missing.");
    }

    /// <summary>Counts a socket that could not keep up.</summary>
    public void Behind() => _behind.Add(1);

    /// <summary>Counts a subscription that lacked entries.</summary>
    public void Healed() => _healed.Add(1);
}
