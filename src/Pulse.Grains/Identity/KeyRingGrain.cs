using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary>The front ends' shared keys. Key: the ring's name. An addition is saved before it is answered.</summary>
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
            // The state is restored, because another activation would lack an unsaved key.
            state.State = before;
            throw;
        }
    }

    public async Task<bool> TryAddKeyAsync(string name, string xml, int knownCount)
    {
        // A repeated call finds its own element in the state.
        if (!state.State.Keys.ContainsKey(name) && state.State.Keys.Count != knownCount) return false;

        await AddKeyAsync(name, xml);
        return true;
    }
}

/// <summary>Stored with Orleans' grain storage, so members may only be added.</summary>
[GenerateSerializer, Alias("pulse.KeyRingState")]
internal sealed record KeyRingState
{
    /// <summary>XML elements by friendly name.</summary>
    [Id(0)] public Dictionary<string, string> Keys { get; init; } = [];
}
