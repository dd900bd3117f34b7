namespace Pulse.Identity;

/// <summary>
/// Keys that all front ends share, so that each can read the data that another has protected (a sign-in's state, a form's token). The key
/// is the ring's name.
/// </summary>
[Alias("pulse.IKeyRingGrain")]
public interface IKeyRingGrain : IGrainWithStringKey
{
    /// <summary>The XML elements of the ring, in any order.</summary>
    [Alias("GetKeysAsync")]
    Task<string[]> GetKeysAsync();

    /// <summary>
    /// Adds an element, or replaces the element of that name. It is saved when the call returns. The call is safe to repeat.
    /// </summary>
    [Alias("AddKeyAsync")]
    Task AddKeyAsync(string name, string xml);

    /// <summary>
    /// As <see cref="AddKeyAsync"/>, if the ring still has as many elements as the caller has read. If several front ends begin a ring
    /// together, one succeeds.
    /// </summary>
    /// <returns><see langword="false"/>, without an addition, if another caller was faster. The caller must read again.</returns>
    [Alias("TryAddKeyAsync")]
    Task<bool> TryAddKeyAsync(string name, string xml, int knownCount);
}
