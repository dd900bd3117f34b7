using System.Security.Cryptography;
using System.Xml.Linq;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;
using Pulse.Identity;
using Pulse.Silo.Clock;
using Pulse.Web.Auth;

namespace Pulse.Web.Keys;

/// <summary>The ES256 keys of Pulse's own tokens, which all front ends share through a key ring in the cluster.</summary>
/// <remarks>
/// A rotation publishes the new key <see cref="PublishedAhead"/> before it signs, because programs that verify Pulse's tokens cache the
/// published keys for <see cref="CacheTime"/>. Front ends do not depend on this time, because for an unknown key id they read the ring
/// before they answer.
///
/// If front ends of an earlier version may be running, tokens remain under <see cref="AuthOptions.SigningKey"/> (HS256) until the first key
/// is <see cref="UpgradeTime"/> old, because those front ends accept only such tokens. A ring of data protection keys without token keys
/// indicates this case. While the ring is unreadable, tokens are under <see cref="AuthOptions.SigningKey"/> as well, which every front end
/// accepts.
/// </remarks>
internal sealed partial class TokenKeys(
    IGrainFactory grains, KeyRingCipher cipher, IOptions<AuthOptions> options, [FromKeyedServices(ClockSetup.WallClock)] TimeProvider time,
    ILogger<TokenKeys> logger)
{
    /// <summary>The name of the ring.</summary>
    public const string RingName = "token-signing";

    /// <summary>Time for which the published keys may be cached.</summary>
    public static readonly TimeSpan CacheTime = TimeSpan.FromMinutes(5);

    /// <summary>Time for which a new key is published before it signs: twice the cache time, because caches may be chained.</summary>
    public static readonly TimeSpan PublishedAhead = 2 * CacheTime;

    /// <summary>Maximum duration of a rolling upgrade from a version without token keys.</summary>
    public static readonly TimeSpan UpgradeTime = TimeSpan.FromHours(24);

    /// <summary>Minimum interval between two reads of the ring for unknown key ids, because any client can invent them.</summary>
    public static readonly TimeSpan MinReadInterval = TimeSpan.FromMilliseconds(200);

    // A front end may still sign with the old key until it reads the ring again, and clocks differ.
    private static readonly TimeSpan s_margin = TimeSpan.FromMinutes(2);

    // Timeout of a request that waits for the ring.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    // The element that replaces an obsolete key.
    private const string RetiredName = "retired";

    private readonly Lock _lock = new();
    private volatile TokenKeySet? _set;
    private long _readAt;
    private Task<bool> _latest = Task.FromResult(true);

    // A read that has not begun yet. Callers that need a read share it.
    private Task<bool>? _queued;

    private IKeyRingGrain Ring => grains.GetGrain<IKeyRingGrain>(RingName);

    /// <summary>The last known content of the ring. <see langword="null"/> until the first read.</summary>
    public TokenKeySet? Known => _set;

    /// <summary>The credentials for a new token. <see langword="null"/> if <see cref="AuthOptions.SigningKey"/> signs.</summary>
    public SigningCredentials? Credentials => _set?.Signing(time.GetUtcNow())?.Credentials;

    /// <summary>The key of that id, if it is known and accepted.</summary>
    public SecurityKey? Find(string? id) => _set?.Find(id, time.GetUtcNow())?.Key;

    /// <summary>Reads the ring for an unknown key.</summary>
    /// <returns>Whether the key is accepted. <see langword="null"/> if the ring is unavailable.</returns>
    public async Task<bool?> LookForAsync(string id)
    {
        if (Find(id) is not null) return true;
        var isRead = await TryReadAsync();
        return Find(id) is not null ? true : isRead ? false : null;
    }

    /// <summary>Reads the ring, and creates the first key if it is empty.</summary>
    public async Task EnsureAsync()
    {
        await ReadAsync();
        if (_set!.Keys.Length > 0) return;

        var now = time.GetUtcNow();
        // Unreadable elements also belong to this version, under a former signing key.
        var isUpgrade = _set.StoredCount == 0 && (await grains.GetGrain<IKeyRingGrain>(KeyRingRepository.RingName).GetKeysAsync()).Length > 0;
        var first = TokenKey.Create(isUpgrade ? now + UpgradeTime : now, now);
        // In either case the ring has a key now: this one, or that of a faster front end.
        await Ring.TryAddKeyAsync(first.ElementKey, Seal(first), _set.StoredCount);
        await ReadAsync();
        if (isUpgrade) LogUpgrade(UpgradeTime.TotalHours);
    }

    /// <summary>Creates a new key. All front ends accept its tokens at once, and all users stay signed in.</summary>
    /// <param name="atOnce">Whether it signs now instead of after <see cref="PublishedAhead"/>. Other programs may refuse tokens until they
    /// read the keys again.</param>
    /// <param name="withdrawOlder">Whether tokens of all older keys are refused from now on, because a key has leaked. Implies
    /// <paramref name="atOnce"/>.</param>
    /// <returns>The new key's id, and when it begins to sign.</returns>
    /// <exception cref="InvalidOperationException">Other front ends rotate at the same time.</exception>
    public async Task<TokenKeyRotation> RotateAsync(bool atOnce = false, bool withdrawOlder = false)
    {
        const int Tries = 5;
        for (var tried = 0; tried < Tries; tried++)
        {
            await ReadAsync();
            var (before, now) = (_set!, time.GetUtcNow());
            var signsFrom = atOnce || withdrawOlder ? now : now + PublishedAhead;
            // A withdrawal takes effect now. A key that signs soon is withdrawn too, whether or not another front end already signs with it.
            var soon = withdrawOlder ? now : now + s_margin;
            // Must be newer than the present signing key, whose time may come from another front end's clock.
            if (before.Signing(soon) is { } present && signsFrom <= present.SignsFrom) signsFrom = present.SignsFrom + TimeSpan.FromMilliseconds(1);
            var key = TokenKey.Create(signsFrom, withdrawOlder ? signsFrom : signsFrom + options.Value.AccessTokenLifetime + s_margin);
            if (!await Ring.TryAddKeyAsync(key.ElementKey, Seal(key), before.StoredCount)) continue;

            // Pending keys would replace the new one when their time comes.
            foreach (var pending in before.Keys.Where(other => other.SignsFrom > soon)) await RetireAsync(pending);
            await ReadAsync();
            LogRotated(key.Id, signsFrom);
            return new(key.Id, signsFrom);
        }

        throw new InvalidOperationException("The token keys were not rotated, because other front ends rotate them at the same moment.");
    }

    /// <summary>Removes the keys whose tokens have all expired. Only their names remain.</summary>
    public async Task RetireOutlivedAsync()
    {
        foreach (var key in _set?.Outlived(time.GetUtcNow()) ?? []) await RetireAsync(key);
    }

    /// <summary>
    /// Reads the ring, at most once per <see cref="MinReadInterval"/>. Never throws: if the ring is unavailable, the known keys remain in
    /// use.
    /// </summary>
    /// <returns>Whether the ring has answered in time.</returns>
    public async Task<bool> TryReadAsync()
    {
        Task<bool> read;
        lock (_lock) read = _queued ??= _latest = ReadSoonAsync(_latest);
        return await Task.WhenAny(read, Task.Delay(s_patience, time)) == read && await read;
    }

    private async Task<bool> ReadSoonAsync(Task before)
    {
        await Task.Yield();
        await before;
        var sinceRead = time.GetElapsedTime(Volatile.Read(ref _readAt));
        if (sinceRead < MinReadInterval) await Task.Delay(MinReadInterval - sinceRead, time);

        // The answer may lack a key that is added from now on, so later callers wait for the next read.
        lock (_lock) _queued = null;
        try
        {
            await ReadAsync();
            return true;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            LogUnread(exception.GetType().Name);
            return false;
        }
    }

    private async Task ReadAsync()
    {
        Volatile.Write(ref _readAt, time.GetTimestamp());
        XElement[] elements = [.. (await Ring.GetKeysAsync()).Select(XElement.Parse)];
        var retired = elements.Where(element => element.Name == RetiredName).Select(element => element.Value).ToHashSet(StringComparer.Ordinal);
        var keys = elements.Where(element => element.Name != RetiredName).Select(Open).OfType<TokenKey>().ToDictionary(key => key.Id, StringComparer.Ordinal);

        // During a change of SigningKey other front ends may encrypt under a value that this one does not accept. Keys from earlier reads
        // remain valid.
        if (keys.Count + retired.Count < elements.Length)
        {
            foreach (var known in _set?.Keys ?? [])
            {
                if (!retired.Contains(known.Id)) keys.TryAdd(known.Id, known);
            }
        }

        _set = new([.. keys.Values.OrderByDescending(key => key.SignsFrom).ThenBy(key => key.Id, StringComparer.Ordinal)], elements.Length);
    }

    private string Seal(TokenKey key) => cipher.Encrypt(key.ToXml()).EncryptedElement.ToString(SaveOptions.DisableFormatting);

    private TokenKey? Open(XElement element)
    {
        try
        {
            return TokenKey.Read(cipher.Decrypt(element));
        }
        catch (CryptographicException)
        {
            return null;
        }
    }

    private Task RetireAsync(TokenKey key) => Ring.AddKeyAsync(key.ElementKey, new XElement(RetiredName, key.Id).ToString());

    [LoggerMessage(1180, LogLevel.Information, "Tokens are signed with SigningKey (HS256) for another {Hours} hours, because front ends of an earlier version may be running")]
    private partial void LogUpgrade(double hours);

    [LoggerMessage(1181, LogLevel.Information, "The token key {KeyId} signs from {SignsFrom:O} on")]
    private partial void LogRotated(string keyId, DateTimeOffset signsFrom);

    [LoggerMessage(1182, LogLevel.Warning, "The token keys cannot be read ({Reason}). The known keys remain in use.")]
    private partial void LogUnread(string reason);
}

/// <summary>Result of a rotation.</summary>
/// <param name="KeyId">The new key's <c>kid</c>.</param>
/// <param name="SignsFrom">When it begins to sign, UTC.</param>
internal sealed record TokenKeyRotation(string KeyId, DateTimeOffset SignsFrom);
