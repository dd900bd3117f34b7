using System.Security.Claims;
using Microsoft.Extensions.Time.Testing;
using Pulse.Web.Auth;
using Pulse.Web.Tokens;

namespace Pulse.Web.Tests.Auth;

public sealed class ValidatedTokenCacheTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly ValidatedTokenCache _tokens;

    public ValidatedTokenCacheTests() => _tokens = new(_time);

    [Fact]
    public void Find_UntilItExpires_ReturnsTheValidatedToken()
    {
        var (key, token) = (ValidatedTokenCache.Key.Of("one"), Token(TimeSpan.FromMinutes(15)));
        _tokens.Add(key, token);

        _time.Advance(TimeSpan.FromMinutes(15) - TimeSpan.FromTicks(1));
        Assert.Same(token, _tokens.Find(key));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Null(_tokens.Find(key));
    }

    [Fact]
    public void Find_AnotherToken_GivesNothing()
    {
        _tokens.Add(ValidatedTokenCache.Key.Of("one"), Token(TimeSpan.FromMinutes(15)));

        Assert.Null(_tokens.Find(ValidatedTokenCache.Key.Of("onf")));
    }

    [Fact]
    public void Add_BeyondCapacity_EvictsUnusedTokens()
    {
        var token = Token(TimeSpan.FromMinutes(15));
        var (used, unused) = (ValidatedTokenCache.Key.Of("used"), ValidatedTokenCache.Key.Of("unused"));
        _tokens.Add(used, token);
        _tokens.Add(unused, token);

        for (var i = 0; i < 3 * ValidatedTokenCache.GenerationSize; i++)
        {
            _tokens.Add(ValidatedTokenCache.Key.Of($"other {i}"), token);
            Assert.NotNull(_tokens.Find(used));
        }

        Assert.Null(_tokens.Find(unused));
    }

    [Fact]
    public void Add_LongTokens_AreBoundedByTheirLength()
    {
        var first = ValidatedTokenCache.Key.Of("first");
        var token = Token(TimeSpan.FromMinutes(15)) with { Length = AccessTokenHandler.MaxTokenLength };
        _tokens.Add(first, token);

        // Two generations by length, and an eighth of one by number.
        for (var i = 0; i < 2 * ValidatedTokenCache.GenerationLength / AccessTokenHandler.MaxTokenLength; i++) _tokens.Add(ValidatedTokenCache.Key.Of($"other {i}"), token);

        Assert.Null(_tokens.Find(first));
    }

    private ValidatedToken Token(TimeSpan lifetime)
    {
        var caller = new Caller { Issuer = "pulse", Subject = "ada", ExpiresAt = _time.GetUtcNow() + lifetime };
        return new(new ClaimsPrincipal(new CallerIdentity(caller)), caller, KeySource: null, Keys: null);
    }
}
