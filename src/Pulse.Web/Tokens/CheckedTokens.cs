using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;
using Pulse.Silo.Clock;
using Pulse.Web.Auth;

namespace Pulse.Web.Tokens;

/// <summary>Tokens that passed their check, so that it is made once per token and not once per request.</summary>
/// <remarks>
/// Only what cannot change is kept: signature, issuer, audience and claims. Expiry is compared at each use, an entry counts only under the issuer's keys
/// that it was checked with, and whether the session still lives is asked anew every time. Kept by SHA-256: a dump of memory shows no token.
/// Bounded: when the young generation is full it becomes the old one, and what was in the old one and not asked for since is forgotten.
/// </remarks>
internal sealed class CheckedTokens([FromKeyedServices(ClockSetup.WallClock)] TimeProvider time)
{
    /// <summary>Tokens per generation; some 20 MB when both are full.</summary>
    internal const int GenerationSize = 16 * 1024;

    /// <summary>Characters of the tokens of a generation: what is kept of a token is at most as long as the token. Some 30 MB when both are full.</summary>
    internal const int GenerationLength = 8 * 1024 * 1024;

    private ConcurrentDictionary<Key, CheckedToken> _young = new();
    private ConcurrentDictionary<Key, CheckedToken> _old = new();
    private int _youngCount;
    private long _youngLength;

    /// <summary>A token's SHA-256.</summary>
    public readonly record struct Key(UInt128 High, UInt128 Low)
    {
        public static Key Of(string token)
        {
            Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
            SHA256.HashData(MemoryMarshal.AsBytes(token.AsSpan()), hash);
            return MemoryMarshal.Read<Key>(hash);
        }
    }

    /// <summary>The token as it was when it passed; <see langword="null"/> if it did not lately, or has expired.</summary>
    public CheckedToken? Find(Key key)
    {
        if (!_young.TryGetValue(key, out var token))
        {
            if (!_old.TryGetValue(key, out token)) return null;
            Add(key, token);
        }

        return token.Caller.ExpiresAt > time.GetUtcNow() ? token : null;
    }

    /// <summary>Keeps a token that passed.</summary>
    public void Add(Key key, CheckedToken token)
    {
        _young[key] = token;
        var length = token.Length;
        var isFull = Interlocked.Increment(ref _youngCount) == GenerationSize;
        var isLong = Interlocked.Add(ref _youngLength, length) is var total && total >= GenerationLength && total - length < GenerationLength;
        if (!isFull && !isLong) return;

        // One or two threads get here per generation. Another may read between these lines: it finds less, never anything wrong.
        _old = _young;
        _young = new();
        Volatile.Write(ref _youngCount, 0);
        Volatile.Write(ref _youngLength, 0);
    }
}

/// <summary>A token that passed every check but its session's.</summary>
/// <param name="Principal">Who it speaks for.</param>
/// <param name="Caller">The same, read.</param>
/// <param name="KeySource">Where its issuer publishes keys; <see langword="null"/> for a shared secret.</param>
/// <param name="Keys">The published keys that it was checked with.</param>
/// <param name="OwnKeyId">The key of Pulse's own that signed it; <see langword="null"/> for a shared secret and for another issuer's key.</param>
internal sealed record CheckedToken(ClaimsPrincipal Principal, Caller Caller, BaseConfigurationManager? KeySource, BaseConfiguration? Keys, string? OwnKeyId = null)
{
    /// <summary>The token's length in characters.</summary>
    public int Length { get; init; }
}
