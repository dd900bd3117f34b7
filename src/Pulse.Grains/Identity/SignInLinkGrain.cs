using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary>One link. Key: its token's hash. Keeps nothing: the database decides who uses it.</summary>
internal sealed class SignInLinkGrain(IOneTimeTokenStore store, TimeProvider time) : Grain, ISignInLinkGrain
{
    private byte[] Hash => SignInLinkKey.ToHash(this.GetPrimaryKeyString());

    public async Task<SignInLink> PeekAsync() => await store.FindAsync(Hash) switch
    {
        null => new(SignInLinkState.Unknown),
        { } token when token.ExpiresAt <= time.GetUtcNow() => new(SignInLinkState.Expired),
        { } token => new(SignInLinkState.Good, token.Identifier),
    };

    public async Task<SignInLink> ConsumeAsync()
    {
        if (await store.ConsumeAsync(Hash, time.GetUtcNow()) is { } email) return new(SignInLinkState.Good, email);

        // Not to be had; the page that says so can say why.
        var state = (await PeekAsync()).State;
        return new(state == SignInLinkState.Expired ? state : SignInLinkState.Unknown);
    }
}
