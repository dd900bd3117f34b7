using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Pulse.Identity;

namespace Pulse.Web.Keys;

/// <summary>Keeps the data protection keys in the cluster, so that any front end reads what any other has protected.</summary>
internal sealed class KeyRingRepository(IGrainFactory grains) : IXmlRepository
{
    private const string RingName = "data-protection";

    private IKeyRingGrain Ring => grains.GetGrain<IKeyRingGrain>(RingName);

    public IReadOnlyCollection<XElement> GetAllElements() => [.. Wait(() => Ring.GetKeysAsync()).Select(XElement.Parse)];

    public void StoreElement(XElement element, string friendlyName) => Wait(async () =>
    {
        await Ring.AddKeyAsync(friendlyName, element.ToString(SaveOptions.DisableFormatting));
        return true;
    });

    // The framework's interface is synchronous and has no other. It is called once a day and never on a grain's turn; the call is bounded by
    // Orleans' response timeout, and runs on the thread pool so that it waits for nobody who waits for it.
    private static T Wait<T>(Func<Task<T>> call) => Task.Run(call).GetAwaiter().GetResult();
}
