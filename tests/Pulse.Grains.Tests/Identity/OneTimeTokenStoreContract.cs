using System.Security.Cryptography;
using Pulse.Grains.Identity;
using Pulse.Grains.Tests.Storage;
using Pulse.Grains.Tests.Users;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

/// <summary>The behaviour of every <see cref="IOneTimeTokenStore"/>.</summary>
public abstract class OneTimeTokenStoreContract(StoresFixture stores)
{
    private static readonly DateTimeOffset s_now = TestUsers.Noon;
    private readonly string _email = $"{Guid.NewGuid():N}@example.com";

    [Fact]
    public async Task Add_ThenFind_GivesItBack()
    {
        var token = Token();
        Assert.True(await stores.Tokens.AddAsync(token, atMost: 3, s_now));

        var found = await stores.Tokens.FindAsync(token.Hash);
        Assert.Equal((token.Identifier, token.ExpiresAt), (found!.Identifier, found.ExpiresAt));
        Assert.Equal(token.Hash, found.Hash);
        Assert.Null(await stores.Tokens.FindAsync(NewHash()));
    }

    [Fact]
    public async Task RemoveAll_RemovesThoseOfOneIdentifier()
    {
        var (first, second, other) = (Token(), Token(), Token() with { Identifier = $"other{_email}" });
        foreach (var token in new[] { first, second, other }) await stores.Tokens.AddAsync(token, atMost: 3, s_now);

        await stores.Tokens.RemoveAllAsync(_email);

        Assert.Null(await stores.Tokens.FindAsync(first.Hash));
        Assert.Null(await stores.Tokens.FindAsync(second.Hash));
        Assert.NotNull(await stores.Tokens.FindAsync(other.Hash));
    }

    [Fact]
    public async Task Add_Again_IsOneToken()
    {
        var token = Token();
        Assert.True(await stores.Tokens.AddAsync(token, atMost: 1, s_now));
        Assert.True(await stores.Tokens.AddAsync(token, atMost: 1, s_now));

        Assert.Equal(_email, await stores.Tokens.ConsumeAsync(token.Hash, s_now));
        Assert.Null(await stores.Tokens.FindAsync(token.Hash));
    }

    [Fact]
    public async Task Add_OverTheLimit_AddsNothing_UntilOneIsUsedOrLate()
    {
        var tokens = Enumerable.Range(0, 3).Select(minute => Token(s_now.AddMinutes(5 + minute))).ToArray();
        foreach (var token in tokens) Assert.True(await stores.Tokens.AddAsync(token, atMost: 3, s_now));
        Assert.False(await stores.Tokens.AddAsync(Token(), atMost: 3, s_now));

        // Another mailbox has its own count.
        Assert.True(await stores.Tokens.AddAsync(Token() with { Identifier = "other." + _email }, atMost: 3, s_now));

        await stores.Tokens.ConsumeAsync(tokens[1].Hash, s_now);
        Assert.True(await stores.Tokens.AddAsync(Token(), atMost: 3, s_now));
        Assert.False(await stores.Tokens.AddAsync(Token(), atMost: 3, s_now));
        Assert.True(await stores.Tokens.AddAsync(Token(), atMost: 3, s_now.AddMinutes(5)));
    }

    [Fact]
    public async Task Consume_FiftyAtOnce_OneGetsIt()
    {
        var token = Token();
        await stores.Tokens.AddAsync(token, atMost: 3, s_now);

        var got = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => stores.Tokens.ConsumeAsync(token.Hash, s_now))));

        Assert.Single(got, email => email == _email);
        Assert.Equal(49, got.Count(email => email is null));
    }

    [Fact]
    public async Task Consume_Late_GetsNothingAndLeavesIt()
    {
        var token = Token();
        await stores.Tokens.AddAsync(token, atMost: 3, s_now);

        Assert.Null(await stores.Tokens.ConsumeAsync(token.Hash, token.ExpiresAt));
        Assert.NotNull(await stores.Tokens.FindAsync(token.Hash));
    }

    [Fact]
    public async Task Sweep_RemovesLongExpiredTokens_OldestFirst_UpToItsLimit()
    {
        // Earlier than the tokens of all other tests in this class.
        var then = s_now.AddYears(-1);
        var tokens = Enumerable.Range(0, 3).Select(minute => Token(then.AddMinutes(minute))).ToArray();
        foreach (var token in tokens) await stores.Tokens.AddAsync(token, atMost: 3, then.AddHours(-1));
        var later = then.AddMinutes(62);

        Assert.Equal(1, await stores.Tokens.SweepAsync(later, limit: 1));
        Assert.Null(await stores.Tokens.FindAsync(tokens[0].Hash));
        Assert.Equal(1, await stores.Tokens.SweepAsync(later, limit: 100));
        Assert.Null(await stores.Tokens.FindAsync(tokens[1].Hash));
        Assert.NotNull(await stores.Tokens.FindAsync(tokens[2].Hash));
    }

    [Fact]
    public async Task Add_RemovesNoOtherToken()
    {
        var token = Token();
        await stores.Tokens.AddAsync(token, atMost: 3, s_now);

        await stores.Tokens.AddAsync(Token(s_now.AddMinutes(90)), atMost: 3, s_now.AddMinutes(71));

        Assert.NotNull(await stores.Tokens.FindAsync(token.Hash));
    }

    private OneTimeToken Token(DateTimeOffset? expiresAt = null) => new(_email, NewHash(), expiresAt ?? s_now.AddMinutes(10));

    private static byte[] NewHash() => RandomNumberGenerator.GetBytes(SHA256.HashSizeInBytes);
}
