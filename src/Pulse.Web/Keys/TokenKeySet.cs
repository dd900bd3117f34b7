using System.Collections.Immutable;

namespace Pulse.Web.Keys;

/// <summary>The token keys of the ring at one moment, with the signing key and the accepted ones. Immutable.</summary>
/// <param name="Keys">Every readable key, newest first.</param>
/// <param name="StoredCount">Number of elements in the ring, including retired and unreadable ones.</param>
internal sealed record TokenKeySet(ImmutableArray<TokenKey> Keys, int StoredCount)
{
    /// <summary>The signing key at that time, or <see langword="null"/>.</summary>
    public TokenKey? Signing(DateTimeOffset now)
    {
        foreach (var key in Keys)
        {
            if (key.SignsFrom <= now) return key;
        }

        return null;
    }

    /// <summary>The key of that id if its tokens are accepted.</summary>
    /// <remarks>Also returns a key before its time, because another front end's clock may be ahead.</remarks>
    public TokenKey? Find(string? id, DateTimeOffset now)
    {
        foreach (var key in Keys)
        {
            if (string.Equals(key.Id, id, StringComparison.Ordinal)) return IsAccepted(key, now) ? key : null;
        }

        return null;
    }

    /// <summary>The keys to publish, which are the accepted ones.</summary>
    public IEnumerable<TokenKey> Accepted(DateTimeOffset now) => Keys.Where(key => IsAccepted(key, now));

    /// <summary>The keys whose tokens have all expired.</summary>
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
