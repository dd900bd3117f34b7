using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.Protocols;
using Pulse.Web.Tokens;

namespace Pulse.Web.Tests.Auth;

/// <summary>When an issuer's keys are read again, and how long they count.</summary>
public sealed class PublishedKeysTests : IAsyncLifetime
{
    private static readonly RSA s_first = RSA.Create(2048);
    private static readonly RSA s_second = RSA.Create(2048);
    private readonly FakeTimeProvider _time = new();
    private TestIdentityProvider _provider = null!;
    private PublishedKeys _keys = null!;

    public async Task InitializeAsync()
    {
        _provider = await TestIdentityProvider.StartAsync();
        _provider.Publish(("one", s_first));
        _keys = new($"{_provider.Url}/.well-known/openid-configuration", new HttpDocumentRetriever { RequireHttps = false }, _time);
    }

    public async Task DisposeAsync() => await _provider.DisposeAsync();

    [Fact]
    public async Task WithdrawnKey_IsRefusedWithin15Minutes_WithoutAnyTokenOfANewKey()
    {
        Assert.Equal(["one"], await IdsAsync());
        _provider.Publish(("two", s_second));

        _time.Advance(PublishedKeys.UsableFor);

        Assert.Equal(["two"], await IdsAsync());
    }

    [Fact]
    public async Task AgingKeys_AreReadAgainInTheBackground()
    {
        Assert.Equal(["one"], await IdsAsync());
        _provider.Publish(("two", s_second));

        _time.Advance(PublishedKeys.FreshFor);

        // Callers do not wait for it.
        Assert.Equal(["one"], await IdsAsync());
        await Eventually.AsyncTrue("the new key", async () => (await IdsAsync())[0] == "two");
    }

    [Fact]
    public async Task RequestedRefresh_IsDoneAtTheNextCall_AndOnceASecondAtMost()
    {
        await IdsAsync();
        _provider.Publish(("two", s_second));

        _time.Advance(PublishedKeys.MinInterval);
        _keys.RequestRefresh();
        Assert.Equal(["two"], await IdsAsync());

        for (var i = 0; i < 50; i++)
        {
            _keys.RequestRefresh();
            await IdsAsync();
        }

        Assert.Equal(2, _provider.KeyFetches);
        _provider.Publish(("three", s_first));
        _time.Advance(PublishedKeys.MinInterval);
        _keys.RequestRefresh();
        Assert.Equal(["three"], await IdsAsync());
    }

    [Fact]
    public async Task UnavailableIssuer_KeepsItsKeysFor15Minutes()
    {
        await IdsAsync();
        await _provider.DisposeAsync();

        _time.Advance(PublishedKeys.UsableFor - TimeSpan.FromSeconds(1));
        Assert.Equal(["one"], await IdsAsync());
        _keys.RequestRefresh();
        Assert.Equal(["one"], await IdsAsync());
        _time.Advance(TimeSpan.FromSeconds(1));
        await Assert.ThrowsAsync<InvalidOperationException>(IdsAsync);
    }

    private async Task<string[]> IdsAsync() => [.. (await _keys.GetConfigurationAsync(CancellationToken.None)).SigningKeys.Select(key => key.KeyId)];
}
