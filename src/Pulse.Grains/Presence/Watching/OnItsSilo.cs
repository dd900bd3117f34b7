using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace Pulse.Grains.Presence.Watching;

/// <summary>Places a grain only on the silo whose address is the grain's key.</summary>
internal sealed class OnItsSilo : PlacementStrategy;

/// <summary>Marks a grain class as placed by <see cref="OnItsSilo"/>.</summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class OnItsSiloPlacementAttribute() : PlacementAttribute(new OnItsSilo());

/// <summary>Selects the silo that the key names.</summary>
internal sealed class OnItsSiloDirector : IPlacementDirector
{
    /// <exception cref="SiloUnavailableException">The silo has stopped.</exception>
    public Task<SiloAddress> OnAddActivation(PlacementStrategy strategy, PlacementTarget target, IPlacementContext context)
    {
        var silo = SiloAddress.FromParsableString(target.GrainIdentity.Key.ToString()!);
        return context.GetCompatibleSilos(target).Contains(silo)
            ? Task.FromResult(silo)
            : throw new SiloUnavailableException($"The silo {silo} is not active.");
    }
}
