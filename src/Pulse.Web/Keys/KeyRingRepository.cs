using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Pulse.Identity;
using Pulse.Web.Audit;

namespace Pulse.Web.Keys;

/// <summary>Stores the data protection keys in the cluster, so that any front end can read the data that another has protected.</summary>
internal sealed class KeyRingRepository(IGrainFactory grains, AuditLog audit) : IXmlRepository
{
    /// <summary>The name of the ring.</summary>
    public const string RingName = "data-protection";

    /// <summary>The framework's prefix of a key element's name, before the key's id. The other elements are revocations.</summary>
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
    /// A new key is dropped if another front end has added one since this front end read the ring. The framework reads again after adding,
    /// and then uses the other key. Otherwise front ends that start together would each use their own key, unknown to the others for up to
    /// a day.
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

    // The framework's interface is synchronous only. It is called once a day and never on a grain's turn. Orleans' response timeout limits
    // the call, which runs on the thread pool to prevent a deadlock.
    private static T Wait<T>(Func<Task<T>> call) => Task.Run(call).GetAwaiter().GetResult();
}
