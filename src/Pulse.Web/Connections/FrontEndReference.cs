using Pulse.Presence;

namespace Pulse.Web.Connections;

/// <summary>This process as grains reach it.</summary>
internal sealed class FrontEndReference(IGrainFactory grains, IServiceProvider services)
{
    // Held here: Orleans itself keeps an observer weakly. Made when first needed, for the client must have started; and by then the front end,
    // which needs this reference in turn, has been made too.
    private readonly Lazy<(IFrontEndObserver Target, IFrontEndObserver Reference)> _observer = new(() =>
    {
        var target = services.GetRequiredService<IFrontEndObserver>();
        return (target, grains.CreateObjectReference<IFrontEndObserver>(target));
    });

    public IFrontEndObserver Value => _observer.Value.Reference;
}
