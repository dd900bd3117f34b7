using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary>One link. Key: its token's hash. Keeps nothing: the database decides who uses it.</summary>
/// <remarks>Anybody can make up a token, and each has a grain of its own: it goes soon.</remarks>
internal sealed class SignInLinkGrain(IOneTimeTokenStore store, TimeProvider time) : Grain, ISignInLinkGrain
{
    // Not at once: of many calls that come together, Orleans would pass the last ones on too often, and reject them.
    private static readonly TimeSpan Stay = TimeSpan.FromSeconds(5);

    private byte[] Hash => SignInLinkKey.ToHash(this.GetPrimaryKeyString());

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        this.RegisterGrainTimer(LeaveAsync, new(Stay, Timeout.InfiniteTimeSpan));
        return Task.CompletedTask;
    }

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

    private Task LeaveAsync()
    {
        DeactivateOnIdle();
        return Task.CompletedTask;
    }
}
