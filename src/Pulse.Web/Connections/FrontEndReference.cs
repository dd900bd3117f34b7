using Pulse.Presence;

namespace Pulse.Web.Connections;

/// <summary>The observer through which grains call this process.</summary>
internal sealed class FrontEndReference(IGrainFactory grains, IServiceProvider services)
{
    // Held here because Orleans keeps only a weak reference to an observer. Created on first use, because the Orleans client must have
    // started. By then the front end, which needs this reference in turn, exists too.
    private readonly Lazy<(IFrontEndObserver Target, IFrontEndObserver Reference)> _observer = new(() =>
    {
        var target = services.GetRequiredService<IFrontEndObserver>();
        return (target, grains.CreateObjectReference<IFrontEndObserver>(target));
    });

    public IFrontEndObserver Value => _observer.Value.Reference;
}
