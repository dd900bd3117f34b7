using System.Collections.Immutable;

namespace Pulse.Web.Keys;

/// <summary>The token keys of the ring at one moment: which of them signs, and which are accepted. Never changed once made.</summary>
/// <param name="Keys">Every key that can be read, newest first.</param>
/// <param name="StoredCount">How many elements the ring had, those included that are retired or cannot be read.</param>
internal sealed record TokenKeySet(ImmutableArray<TokenKey> Keys, int StoredCount)
{
    /// <summary>The key that signs now; <see langword="null"/> while none does.</summary>
    public TokenKey? Signing(DateTimeOffset now)
    {
        foreach (var key in Keys)
        {
            if (key.SignsFrom <= now) return key;
        }

        return null;
    }

    /// <summary>The key of that id if its tokens are accepted.</summary>
    /// <remarks>A key whose time has not come yet too: another front end's clock may be ahead.</remarks>
    public TokenKey? Find(string? id, DateTimeOffset now)
    {
        foreach (var key in Keys)
        {
            if (string.Equals(key.Id, id, StringComparison.Ordinal)) return IsAccepted(key, now) ? key : null;
        }

        return null;
    }

    /// <summary>The keys to publish: those that are accepted.</summary>
    public IEnumerable<TokenKey> Accepted(DateTimeOffset now) => Keys.Where(key => IsAccepted(key, now));

    /// <summary>The keys that no living token is under.</summary>
    public IEnumerable<TokenKey> Outlived(DateTimeOffset now) => Keys.Where(key => !IsAccepted(key, now));

    private bool IsAccepted(TokenKey key, DateTimeOffset now)
    {
        foreach (var other in Keys)
        {
            if (other.SignsFrom > key.SignsFrom && other.OlderUntil <= now) return false;
        }

        return true;
    }
}
