using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Pulse.Users;
using Pulse.Web.Auth;
using Pulse.Web.Keys;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tokens;

namespace Pulse.Web.Tests.Keys;

/// <summary>Which key signs, and which keys are accepted, as time passes and front ends start, rotate and stop.</summary>
public sealed class TokenKeysTests
{
    private static readonly UserProfile s_user = new() { Id = Guid.NewGuid(), Email = "ada@example.com", Name = "Ada", CreatedAt = DateTimeOffset.UtcNow };

    private readonly MemoryRings _rings = new();
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    [Fact]
    public async Task FirstStart_SignsWithAKeyOfTheRing()
    {
        var keys = await StartAsync();

        Assert.Equal(("ES256", Assert.Single(keys.Known!.Keys).Id), Header(keys));
    }

    [Fact]
    public async Task Ring_HasNoPrivateKeyInClear()
    {
        var keys = await StartAsync();

        var stored = Assert.Single(_rings[TokenKeys.RingName].Values);

        Assert.StartsWith("<sealed>", stored, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToBase64String(keys.Known!.Keys[0].ToXml().Value is var secret ? Convert.FromBase64String(secret) : []), stored, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FirstStart_BesideAnEarlierVersion_SignsWithTheSecretForADay()
    {
        // An earlier version has begun this ring, and its front ends may still run.
        _rings[KeyRingRepository.RingName]["key-1"] = "<key id='1'/>";
        var keys = await StartAsync();

        Assert.Equal(("HS256", null), Header(keys));
        Assert.Single(keys.Known!.Accepted(_time.GetUtcNow()));
        _time.Advance(TokenKeys.UpgradeTime - TimeSpan.FromSeconds(1));
        Assert.Equal(("HS256", null), Header(keys));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal("ES256", Header(keys).Algorithm);
    }

    [Fact]
    public async Task Start_WithSilosUnavailable_SignsWithTheSecret_UntilTheRingCanBeRead()
    {
        var keys = New();
        _rings.AreAway = true;
        await Assert.ThrowsAsync<TimeoutException>(keys.EnsureAsync);
        Assert.Equal(("HS256", null), Header(keys));

        _rings.AreAway = false;
        await keys.EnsureAsync();
        Assert.Equal("ES256", Header(keys).Algorithm);
    }

    [Fact]
    public async Task FrontEndThatStartsBeforeItsSilos_SignsWithTheRingsKey_ASecondAfterTheyAnswer()
    {
        var keys = New();
        _rings.AreAway = true;
        using var upkeep = new KeyRingUpkeep(_rings.Grains, keys, Cipher(TestTokens.Key), _time, NullLogger<KeyRingUpkeep>.Instance);
        await upkeep.StartAsync(CancellationToken.None);
        Assert.Equal("HS256", Header(keys).Algorithm);
        _rings.AreAway = false;

        var elapsed = TimeSpan.Zero;
        await Eventually.AsyncTrue("the ring is read", () =>
        {
            if (keys.Known is null && elapsed < TimeSpan.FromSeconds(1))
            {
                _time.Advance(TimeSpan.FromMilliseconds(250));
                elapsed += TimeSpan.FromMilliseconds(250);
            }

            return Task.FromResult(keys.Known is not null);
        });

        Assert.Equal("ES256", Header(keys).Algorithm);
        await upkeep.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task TwoFrontEnds_ThatStartTogether_AgreeOnOneKey()
    {
        var (one, other) = (New(), New());
        await Task.WhenAll(one.EnsureAsync(), other.EnsureAsync());

        Assert.Equal(Header(one), Header(other));
        Assert.Single(_rings[TokenKeys.RingName]);
    }

    [Fact]
    public async Task Rotation_PublishesTheNewKey_ACacheTimeBeforeItSigns()
    {
        var keys = await StartAsync();
        var before = Header(keys);

        var rotation = await keys.RotateAsync();

        Assert.Contains(rotation.KeyId, Published(keys));
        Assert.Equal(before, Header(keys));
        _time.Advance(TokenKeys.CacheTime);
        Assert.Equal(before, Header(keys));
        _time.Advance(TokenKeys.PublishedAhead - TokenKeys.CacheTime);
        Assert.Equal(("ES256", rotation.KeyId), Header(keys));
    }

    [Fact]
    public async Task Rotation_KeepsTheOldKey_AsLongAsATokenOfItMayLive_AndThenDestroysIt()
    {
        var keys = await StartAsync();
        var old = Header(keys).KeyId!;
        _time.Advance(TimeSpan.FromMinutes(1));
        var token = Issue(keys);
        var rotation = await keys.RotateAsync(atOnce: true);

        Assert.Equal(("ES256", rotation.KeyId), Header(keys));
        while (_time.GetUtcNow() < token.ExpiresAt)
        {
            Assert.NotNull(keys.Find(old));
            Assert.Contains(old, Published(keys));
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        _time.Advance(TimeSpan.FromMinutes(5));
        Assert.Null(keys.Find(old));
        Assert.Equal([rotation.KeyId], Published(keys));
        await keys.RetireOutlivedAsync();
        // Its private half is deleted. Later rotations still count the key.
        Assert.Equal($"<retired>{old}</retired>", _rings[TokenKeys.RingName][TokenKey.NameOf(old)]);
        await keys.RotateAsync(atOnce: true);
    }

    [Fact]
    public async Task Rotation_WithWithdrawal_RefusesOlderKeysAtOnce()
    {
        var keys = await StartAsync();
        var old = Header(keys).KeyId!;
        _time.Advance(TimeSpan.FromMinutes(1));

        var rotation = await keys.RotateAsync(withdrawOlder: true);

        Assert.Null(keys.Find(old));
        Assert.Equal([rotation.KeyId], Published(keys));
    }

    [Fact]
    public async Task Withdrawal_SecondsBeforeAPlannedKeySigns_TakesEffectAtOnce_AndWithdrawsThatKeyToo()
    {
        var keys = await StartAsync();
        var old = Header(keys).KeyId!;
        var planned = await keys.RotateAsync();
        _time.Advance(TokenKeys.PublishedAhead - TimeSpan.FromSeconds(100));

        var rotation = await keys.RotateAsync(withdrawOlder: true);

        Assert.Null(keys.Find(old));
        Assert.Null(keys.Find(planned.KeyId));
        Assert.Equal([rotation.KeyId], Published(keys));
        Assert.Equal(("ES256", rotation.KeyId), Header(keys));
        _time.Advance(TokenKeys.PublishedAhead);
        Assert.Equal(("ES256", rotation.KeyId), Header(keys));
    }

    [Fact]
    public async Task Rotation_WhileAKeyWaits_ReplacesThatKey()
    {
        _rings[KeyRingRepository.RingName]["key-1"] = "<key id='1'/>";
        var keys = await StartAsync();
        var rotation = await keys.RotateAsync(atOnce: true);

        Assert.Equal(("ES256", rotation.KeyId), Header(keys));
        _time.Advance(TokenKeys.UpgradeTime + TimeSpan.FromHours(1));
        Assert.Equal(("ES256", rotation.KeyId), Header(keys));
    }

    [Fact]
    public async Task Rotation_OnOneFrontEnd_IsFoundByAnotherForTheFirstUnknownKey()
    {
        var (one, other) = (await StartAsync(), await StartAsync());
        var rotation = await one.RotateAsync(atOnce: true);

        Assert.Null(other.Find(rotation.KeyId));
        _time.Advance(TokenKeys.MinReadInterval);
        Assert.True(await other.LookForAsync(rotation.KeyId));
        Assert.Equal(("ES256", rotation.KeyId), Header(other));
    }

    [Fact]
    public async Task InventedKeys_ConcurrentCallers_ReadTheRingOnce()
    {
        // Uses the real clock, because callers wait for it.
        var keys = New(TimeProvider.System);
        await keys.EnsureAsync();
        var before = _rings.Reads;

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => keys.LookForAsync($"invented-{i}")));

        Assert.All(answers, answer => Assert.False(answer));
        // The first caller's read may have begun before the last caller asked.
        Assert.InRange(_rings.Reads - before, 1, 2);
    }

    [Fact]
    public async Task UnknownKey_WithSilosUnavailable_IsNeitherAcceptedNorRefused()
    {
        var keys = await StartAsync();
        _time.Advance(TokenKeys.MinReadInterval);
        _rings.AreAway = true;

        Assert.Null(await keys.LookForAsync("unknown"));
        Assert.Equal("ES256", Header(keys).Algorithm);
    }

    [Fact]
    public async Task NewSigningKey_WithTheOldOneInTheList_ReadsTheRing_AndEncryptsItAnew()
    {
        var before = Header(await StartAsync());
        var after = await StartAsync(TestTokens.OtherKey, TestTokens.Key);
        Assert.Equal(before, Header(after));
        Assert.Single(_rings[TokenKeys.RingName]);

        await new KeyRingUpkeep(_rings.Grains, after, Cipher(TestTokens.OtherKey, TestTokens.Key), _time, NullLogger<KeyRingUpkeep>.Instance).EncryptAnewAsync();

        // Now the old value can be removed from the list.
        Assert.Equal(before, Header(await StartAsync(TestTokens.OtherKey)));
        Assert.Single(_rings[TokenKeys.RingName]);
    }

    [Fact]
    public async Task NewSigningKey_OnAnotherFrontEnd_LeavesThisOneTheKeysThatItHasRead()
    {
        var old = await StartAsync();
        var before = Header(old);
        var after = await StartAsync(TestTokens.OtherKey, TestTokens.Key);
        await new KeyRingUpkeep(_rings.Grains, after, Cipher(TestTokens.OtherKey, TestTokens.Key), _time, NullLogger<KeyRingUpkeep>.Instance).EncryptAnewAsync();
        _time.Advance(TokenKeys.MinReadInterval);

        Assert.True(await old.TryReadAsync());

        Assert.Equal(before, Header(old));
    }

    [Fact]
    public async Task NewSigningKey_WithoutTheOldOne_BeginsANewKey_WhichSignsAtOnce()
    {
        _rings[KeyRingRepository.RingName]["key-1"] = "<key id='1'/>";
        await (await StartAsync()).RotateAsync(atOnce: true);

        var header = Header(await StartAsync(TestTokens.OtherKey));

        Assert.Equal("ES256", header.Algorithm);
    }

    private async Task<TokenKeys> StartAsync(string signingKey = TestTokens.Key, params string[] previous)
    {
        var keys = New(signingKey, previous);
        await keys.EnsureAsync();
        return keys;
    }

    private TokenKeys New(string signingKey = TestTokens.Key, params string[] previous) => New(_time, signingKey, previous);

    private TokenKeys New(TimeProvider time, string signingKey = TestTokens.Key, params string[] previous) =>
        new(_rings.Grains, Cipher(signingKey, previous), Settings(signingKey, previous), time, NullLogger<TokenKeys>.Instance);

    private static KeyRingCipher Cipher(string signingKey, params string[] previous) => new(Settings(signingKey, previous));

    private static IOptions<AuthOptions> Settings(string signingKey, params string[] previous)
    {
        var options = new AuthOptions { SigningKey = signingKey };
        foreach (var key in previous) options.PreviousSigningKeys.Add(key);
        return Options.Create(options);
    }

    private AccessToken Issue(TokenKeys keys) => new TokenIssuer(Settings(TestTokens.Key), keys, _time).Issue(s_user);

    private (string Algorithm, string? KeyId) Header(TokenKeys keys)
    {
        var token = new JsonWebToken(Issue(keys).Value);
        return (token.Alg, token.Kid is { Length: > 0 } id ? id : null);
    }

    private string[] Published(TokenKeys keys) => [.. keys.Known!.Accepted(_time.GetUtcNow()).Select(key => key.Id)];
}
