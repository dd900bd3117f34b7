namespace Pulse.Identity;

/// <summary>Keys that all front ends share: what one has protected (a sign-in's state, a form's token) another can read. The key is the ring's name.</summary>
[Alias("pulse.IKeyRingGrain")]
public interface IKeyRingGrain : IGrainWithStringKey
{
    /// <summary>The elements of the ring, XML, in no order.</summary>
    [Alias("GetKeysAsync")]
    Task<string[]> GetKeysAsync();

    /// <summary>Adds an element, or replaces the one of that name. Saved once this returns; may be repeated.</summary>
    [Alias("AddKeyAsync")]
    Task AddKeyAsync(string name, string xml);

    /// <summary>As <see cref="AddKeyAsync"/>, if the ring still has as many elements as the caller has read. Of front ends that begin a ring together, one does.</summary>
    /// <returns><see langword="false"/>, and nothing is added, when somebody was faster: read again.</returns>
    [Alias("TryAddKeyAsync")]
    Task<bool> TryAddKeyAsync(string name, string xml, int knownCount);
}
