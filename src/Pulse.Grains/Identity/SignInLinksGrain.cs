using Microsoft.Extensions.Options;
using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary>
/// One mailbox's links. Key: the mailbox. The database stores the links. The grain counts the links of all spellings of the mailbox.
/// </summary>
/// <remarks>A second or lost activation could allow a few links too many, which is harmless.</remarks>
[GrainType("signinlinks")]
internal sealed class SignInLinksGrain(IOneTimeTokenStore store, IOptions<SignInLinkOptions> options, TimeProvider time) : Grain, ISignInLinksGrain
{
    private readonly List<(byte[] Hash, DateTimeOffset ExpiresAt, bool IsOfKnownBrowser)> _good = [];

    public Task<bool> AddAsync(byte[] tokenHash) => AddForAsync(this.GetPrimaryKeyString(), tokenHash);

    public Task<bool> AddForAsync(string email, byte[] tokenHash) => AddAsync(email, tokenHash, isOfKnownBrowser: false);

    public Task<bool> AddForKnownBrowserAsync(string email, byte[] tokenHash) => AddAsync(email, tokenHash, isOfKnownBrowser: true);

    private async Task<bool> AddAsync(string email, byte[] tokenHash, bool isOfKnownBrowser)
    {
        var now = time.GetUtcNow();
        var expiresAt = now + options.Value.Lifetime;
        var share = options.Value.MaxPerAddress;
        _good.RemoveAll(link => link.ExpiresAt <= now || link.Hash.AsSpan().SequenceEqual(tokenHash));
        if (_good.Count(link => link.IsOfKnownBrowser == isOfKnownBrowser) >= share) return false;
        // The database counts the links of both shares together.
        if (!await store.AddAsync(new(email, tokenHash, expiresAt), isOfKnownBrowser ? 2 * share : share, now)) return false;

        _good.Add((tokenHash, expiresAt, isOfKnownBrowser));
        DelayDeactivation(options.Value.Lifetime);
        return true;
    }

    public async Task RemoveAsync(byte[] tokenHash)
    {
        await store.ConsumeAsync(tokenHash, time.GetUtcNow());
        _good.RemoveAll(link => link.Hash.AsSpan().SequenceEqual(tokenHash));
    }

    public async Task RemoveAllAsync(string email)
    {
        await store.RemoveAllAsync(email);
        _good.Clear();
    }
}
