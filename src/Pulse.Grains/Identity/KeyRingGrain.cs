using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary>The front ends' shared keys. Key: the ring's name. Saved before an addition is answered.</summary>
[GrainType("keyring")]
internal sealed class KeyRingGrain(
    [PersistentState("keys")] IPersistentState<KeyRingState> state) : Grain, IKeyRingGrain
{
    public Task<string[]> GetKeysAsync() => Task.FromResult(state.State.Keys.Values.ToArray());

    public async Task AddKeyAsync(string name, string xml)
    {
        if (state.State.Keys.TryGetValue(name, out var known) && known == xml) return;

        var keys = new Dictionary<string, string>(state.State.Keys) { [name] = xml };
        var before = state.State;
        state.State = new() { Keys = keys };
        try
        {
            await state.WriteStateAsync();
        }
        catch
        {
            // What was not saved must not be handed out: another activation would never know it.
            state.State = before;
            throw;
        }
    }

    public async Task<bool> TryAddKeyAsync(string name, string xml, int knownCount)
    {
        // A repeated call finds its own element there.
        if (!state.State.Keys.ContainsKey(name) && state.State.Keys.Count != knownCount) return false;

        await AddKeyAsync(name, xml);
        return true;
    }
}

/// <summary>Stored with Orleans' grain storage: members are only ever added.</summary>
[GenerateSerializer, Alias("pulse.KeyRingState")]
internal sealed record KeyRingState
{
    /// <summary>XML elements by friendly name.</summary>
    [Id(0)] public Dictionary<string, string> Keys { get; init; } = [];
}
