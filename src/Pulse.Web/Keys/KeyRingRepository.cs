using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Pulse.Identity;
using Pulse.Web.Audit;

namespace Pulse.Web.Keys;

/// <summary>Keeps the data protection keys in the cluster, so that any front end reads what any other has protected.</summary>
internal sealed class KeyRingRepository(IGrainFactory grains, AuditLog audit) : IXmlRepository
{
    /// <summary>The name of the ring.</summary>
    public const string RingName = "data-protection";

    /// <summary>What the framework calls an element that is a key, before the key's id; the others revoke some.</summary>
    public const string KeyPrefix = "key-";

    private int _knownCount;

    private IKeyRingGrain Ring => grains.GetGrain<IKeyRingGrain>(RingName);

    public IReadOnlyCollection<XElement> GetAllElements()
    {
        var elements = Wait(() => Ring.GetKeysAsync());
        Volatile.Write(ref _knownCount, elements.Length);
        return [.. elements.Select(XElement.Parse)];
    }

    /// <remarks>
    /// A new key is dropped if somebody else has added one since this front end read the ring: the framework reads again after adding, and then takes
    /// theirs. Front ends that start together would else each go by a key of their own, unknown to the others for up to a day.
    /// </remarks>
    public void StoreElement(XElement element, string friendlyName) => Wait(async () =>
    {
        var xml = element.ToString(SaveOptions.DisableFormatting);
        var isAdded = true;
        if (friendlyName.StartsWith(KeyPrefix, StringComparison.Ordinal)) isAdded = await Ring.TryAddKeyAsync(friendlyName, xml, Volatile.Read(ref _knownCount));
        else await Ring.AddKeyAsync(friendlyName, xml);

        if (isAdded) audit.Write(context: null, AuditEvents.KeyRingChanged, reason: friendlyName);
        return isAdded;
    });

    // The framework's interface is synchronous and has no other. It is called once a day and never on a grain's turn; the call is bounded by
    // Orleans' response timeout, and runs on the thread pool so that it waits for nobody who waits for it.
    private static T Wait<T>(Func<Task<T>> call) => Task.Run(call).GetAwaiter().GetResult();
}
