using Microsoft.Extensions.Options;
using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary>One mailbox's links. Key: the address. Keeps nothing: its turns make counting and adding one step.</summary>
/// <remarks>Two activations at once could let one link too many through; that harms nobody.</remarks>
internal sealed class SignInLinksGrain(IOneTimeTokenStore store, IOptions<SignInLinkOptions> options, TimeProvider time) : Grain, ISignInLinksGrain
{
    public Task<bool> AddAsync(byte[] tokenHash)
    {
        var now = time.GetUtcNow();
        return store.AddAsync(new(this.GetPrimaryKeyString(), tokenHash, now + options.Value.Lifetime), options.Value.MaxPerAddress, now);
    }
}
