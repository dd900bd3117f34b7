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
/// A rotation publishes the new key <see cref="PublishedAhead"/> before it signs, because programs that verify Pulse's tokens cache the published keys for
/// <see cref="CacheTime"/>. Front ends need no such time: for an unknown key id they read the ring before they answer.
///
/// Where front ends of an earlier version may be running, tokens stay under <see cref="AuthOptions.SigningKey"/> (HS256) until the first key is
/// <see cref="UpgradeTime"/> old, because those front ends know no other tokens. A ring of data protection keys without token keys shows that case.
/// Without a readable ring tokens are under <see cref="AuthOptions.SigningKey"/> as well, which every front end accepts.
/// </remarks>
internal sealed partial class TokenKeys(
    IGrainFactory grains, KeyRingCipher cipher, IOptions<AuthOptions> options, [FromKeyedServices(ClockSetup.WallClock)] TimeProvider time,
    ILogger<TokenKeys> logger)
{
    /// <summary>The name of the ring.</summary>
    public const string RingName = "token-signing";

    /// <summary>How long the published keys may be cached.</summary>
    public static readonly TimeSpan CacheTime = TimeSpan.FromMinutes(5);

    /// <summary>How long a new key is published before it signs: a cache time, and as much again for caches behind caches.</summary>
    public static readonly TimeSpan PublishedAhead = 2 * CacheTime;

    /// <summary>How long a rolling upgrade from a version without token keys may take.</summary>
    public static readonly TimeSpan UpgradeTime = TimeSpan.FromHours(24);

    /// <summary>How often unknown key ids have the ring read again, at most: anybody can invent them.</summary>
    public static readonly TimeSpan MinReadInterval = TimeSpan.FromMilliseconds(200);

    // A front end may go on signing with the old key until it reads the ring again, and clocks differ.
    private static readonly TimeSpan s_margin = TimeSpan.FromMinutes(2);

    // How long a request waits for the ring.
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    // What stays of a key that is not needed any more.
    private const string RetiredName = "retired";

    private readonly Lock _lock = new();
    private volatile TokenKeySet? _set;
    private long _readAt;
    private Task<bool> _latest = Task.FromResult(true);

    // Has not begun yet: callers that need a read share it.
    private Task<bool>? _queued;

    private IKeyRingGrain Ring => grains.GetGrain<IKeyRingGrain>(RingName);

    /// <summary>What this front end knows of the ring; <see langword="null"/> until it was read for the first time.</summary>
    public TokenKeySet? Known => _set;

    /// <summary>What a new token is signed with; <see langword="null"/> while that is <see cref="AuthOptions.SigningKey"/>.</summary>
    public SigningCredentials? Credentials => _set?.Signing(time.GetUtcNow())?.Credentials;

    /// <summary>The key of that id, if it is known and accepted.</summary>
    public SecurityKey? Find(string? id) => _set?.Find(id, time.GetUtcNow())?.Key;

    /// <summary>Looks into the ring for a key that is not known here yet.</summary>
    /// <returns>Whether the key is accepted; <see langword="null"/> when the ring does not answer.</returns>
    public async Task<bool?> LookForAsync(string id)
    {
        if (Find(id) is not null) return true;
        var isRead = await TryReadAsync();
        return Find(id) is not null ? true : isRead ? false : null;
    }

    /// <summary>Reads the ring, and begins it if it is empty.</summary>
    public async Task EnsureAsync()
    {
        await ReadAsync();
        if (_set!.Keys.Length > 0) return;

        var now = time.GetUtcNow();
        // Elements that cannot be read are of this version too, under a signing key that is gone.
        var isUpgrade = _set.StoredCount == 0 && (await grains.GetGrain<IKeyRingGrain>(KeyRingRepository.RingName).GetKeysAsync()).Length > 0;
        var first = TokenKey.Create(isUpgrade ? now + UpgradeTime : now, now);
        // Whether it was added or another front end was faster, the ring has a key now.
        await Ring.TryAddKeyAsync(first.ElementKey, Seal(first), _set.StoredCount);
        await ReadAsync();
        if (isUpgrade) LogUpgrade(UpgradeTime.TotalHours);
    }

    /// <summary>Makes a new key. All front ends accept its tokens at once; nobody is signed out.</summary>
    /// <param name="atOnce">Whether it signs now, and not only after <see cref="PublishedAhead"/>. Other programs may refuse tokens until they read the keys again.</param>
    /// <param name="withdrawOlder">Whether tokens of all older keys are refused from now on, because a key has leaked. Implies <paramref name="atOnce"/>.</param>
    /// <returns>The new key's id, and when it begins to sign.</returns>
    /// <exception cref="InvalidOperationException">Other front ends rotate at the same moment.</exception>
    public async Task<TokenKeyRotation> RotateAsync(bool atOnce = false, bool withdrawOlder = false)
    {
        const int Tries = 5;
        for (var tried = 0; tried < Tries; tried++)
        {
            await ReadAsync();
            var (before, now) = (_set!, time.GetUtcNow());
            var signsFrom = atOnce || withdrawOlder ? now : now + PublishedAhead;
            // Newer than the key that signs now, whose time another front end's clock may have given.
            if (before.Signing(now + s_margin) is { } present && signsFrom <= present.SignsFrom) signsFrom = present.SignsFrom + TimeSpan.FromMilliseconds(1);
            var key = TokenKey.Create(signsFrom, withdrawOlder ? signsFrom : signsFrom + options.Value.AccessTokenLifetime + s_margin);
            if (!await Ring.TryAddKeyAsync(key.ElementKey, Seal(key), before.StoredCount)) continue;

            // Those have signed nothing yet, and would take over from the new one when their time comes.
            foreach (var pending in before.Keys.Where(other => other.SignsFrom > now + s_margin)) await RetireAsync(pending);
            await ReadAsync();
            LogRotated(key.Id, signsFrom);
            return new(key.Id, signsFrom);
        }

        throw new InvalidOperationException("The token keys were not rotated, because other front ends rotate them at the same moment.");
    }

    /// <summary>Removes the keys that no living token is under. What stays of each is its name.</summary>
    public async Task RetireOutlivedAsync()
    {
        foreach (var key in _set?.Outlived(time.GetUtcNow()) ?? []) await RetireAsync(key);
    }

    /// <summary>Reads the ring, no more often than <see cref="MinReadInterval"/>. Never throws: without an answer the known keys count.</summary>
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

        // A key that is added from now on may be missing in the answer, so that later callers wait for the next one.
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

        // During a change of SigningKey other front ends may encrypt under a value that this one does not accept. What it has read before still counts.
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

    [LoggerMessage(1180, LogLevel.Information, "Tokens are signed with SigningKey (HS256) for {Hours} hours more, because front ends of an earlier version may be running")]
    private partial void LogUpgrade(double hours);

    [LoggerMessage(1181, LogLevel.Information, "The token key {KeyId} signs from {SignsFrom:O} on")]
    private partial void LogRotated(string keyId, DateTimeOffset signsFrom);

    [LoggerMessage(1182, LogLevel.Warning, "The token keys cannot be read ({Reason}); those that are known go on being used")]
    private partial void LogUnread(string reason);
}

/// <summary>What a rotation did.</summary>
/// <param name="KeyId">The new key's <c>kid</c>.</param>
/// <param name="SignsFrom">When it begins to sign, UTC.</param>
internal sealed record TokenKeyRotation(string KeyId, DateTimeOffset SignsFrom);
