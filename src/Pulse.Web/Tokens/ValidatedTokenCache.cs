using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Security.Claims;
using System.Security.Cryptography;
using Microsoft.IdentityModel.Tokens;
using Pulse.Silo.Clock;
using Pulse.Web.Auth;

namespace Pulse.Web.Tokens;

/// <summary>Cache of validated tokens, so that a token is validated once instead of for each request.</summary>
/// <remarks>
/// Only immutable results are cached: signature, issuer, audience and claims. Expiry is compared at each use, an entry is valid only with
/// the issuer's keys of its validation, and the session is checked every time. The cache key is a SHA-256, so that a memory dump contains
/// no token. The size is bounded: when the young generation is full it becomes the old one, and entries of the old one that were unused
/// since are dropped.
/// </remarks>
internal sealed class ValidatedTokenCache([FromKeyedServices(ClockSetup.WallClock)] TimeProvider time)
{
    /// <summary>Tokens per generation. Some 20 MB when both are full.</summary>
    internal const int GenerationSize = 16 * 1024;

    /// <summary>
    /// Total characters of the tokens of a generation. An entry is at most as long as its token. Some 30 MB when both are full.
    /// </summary>
    internal const int GenerationLength = 8 * 1024 * 1024;

    private ConcurrentDictionary<Key, ValidatedToken> _young = new();
    private ConcurrentDictionary<Key, ValidatedToken> _old = new();
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

    /// <summary>The result of a token's validation. <see langword="null"/> if its validation is long ago, or it has expired.</summary>
    public ValidatedToken? Find(Key key)
    {
        if (!_young.TryGetValue(key, out var token))
        {
            if (!_old.TryGetValue(key, out token)) return null;
            Add(key, token);
        }

        return token.Caller.ExpiresAt > time.GetUtcNow() ? token : null;
    }

    /// <summary>Adds a validated token.</summary>
    public void Add(Key key, ValidatedToken token)
    {
        _young[key] = token;
        var length = token.Length;
        var isFull = Interlocked.Increment(ref _youngCount) == GenerationSize;
        var isLong = Interlocked.Add(ref _youngLength, length) is var total && total >= GenerationLength && total - length < GenerationLength;
        if (!isFull && !isLong) return;

        // One or two threads arrive here per generation. A concurrent reader may miss entries, but always gets right ones.
        _old = _young;
        _young = new();
        Volatile.Write(ref _youngCount, 0);
        Volatile.Write(ref _youngLength, 0);
    }
}

/// <summary>A token that has passed all checks except its session's.</summary>
/// <param name="Principal">The token's principal.</param>
/// <param name="Caller">The same, parsed.</param>
/// <param name="KeySource">The source of its issuer's published keys. <see langword="null"/> for a shared secret.</param>
/// <param name="Keys">The published keys with which it was validated.</param>
/// <param name="OwnKeyId">The key of Pulse itself that signed it. <see langword="null"/> for a shared secret and for another issuer's
/// key.</param>
internal sealed record ValidatedToken(ClaimsPrincipal Principal, Caller Caller, BaseConfigurationManager? KeySource, BaseConfiguration? Keys, string? OwnKeyId = null)
{
    /// <summary>The token's length in characters.</summary>
    public int Length { get; init; }
}
