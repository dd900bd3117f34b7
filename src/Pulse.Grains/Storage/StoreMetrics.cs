using System.Diagnostics.Metrics;

namespace Pulse.Grains.Storage;

/// <summary>The meter <c>Pulse.Stores</c>.</summary>
internal sealed class StoreMetrics
{
    /// <summary>The meter's name.</summary>
    public const string MeterName = "Pulse.Stores";

    private readonly Counter<long> _isolatedItems;
    private readonly Counter<long> _poolDrops;

    public StoreMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(MeterName);
        _isolatedItems = meter.CreateCounter<long>(
            "pulse.store.isolated_items", "{item}", "Items that were written apart from their batch, because they blocked or failed one.");
        _poolDrops = meter.CreateCounter<long>(
            "pulse.store.pool_drops", "{pool}", "Connection pools that were replaced, because a connection of theirs was silent.");
    }

    /// <summary>Counts an item that is written apart from its batch.</summary>
    public void IsolatedItem() => _isolatedItems.Add(1);

    /// <summary>Counts a pool that was replaced.</summary>
    public void DroppedPool() => _poolDrops.Add(1);
}
