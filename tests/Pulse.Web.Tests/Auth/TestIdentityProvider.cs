using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Tests.Auth;

/// <summary>The published part of an OpenID Connect provider, on a real port: discovery and JWKS. Its keys can be changed.</summary>
internal sealed class TestIdentityProvider : IAsyncDisposable
{
    private readonly WebApplication _app;
    private volatile IReadOnlyList<object> _keys = [];
    private int _keyFetches;

    private TestIdentityProvider(WebApplication app) => _app = app;

    /// <summary>Base URL, which is also its issuer name.</summary>
    public string Url { get; private set; } = "";

    /// <summary>The issuer that its discovery document names instead.</summary>
    public string? Issuer { get; set; }

    /// <summary>How often its keys were fetched.</summary>
    public int KeyFetches => Volatile.Read(ref _keyFetches);

    public static async Task<TestIdentityProvider> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var provider = new TestIdentityProvider(builder.Build());
        provider._app.MapGet("/.well-known/openid-configuration", () => Results.Json(
            new Dictionary<string, object> { ["issuer"] = provider.Issuer ?? provider.Url, ["jwks_uri"] = $"{provider.Url}/jwks" }));
        provider._app.MapGet("/jwks", () =>
        {
            Interlocked.Increment(ref provider._keyFetches);
            return Results.Json(new Dictionary<string, object> { ["keys"] = provider._keys });
        });
        await provider._app.StartAsync();
        provider.Url = provider._app.Urls.Single();
        return provider;
    }

    /// <summary>Replaces the published keys.</summary>
    public void Publish(params (string Kid, RSA Key)[] keys) => _keys = [.. keys.Select(entry =>
    {
        var parameters = entry.Key.ExportParameters(includePrivateParameters: false);
        return (object)new Dictionary<string, string>
        {
            ["kty"] = "RSA", ["use"] = "sig", ["alg"] = "RS256", ["kid"] = entry.Kid,
            ["n"] = Base64UrlEncoder.Encode(parameters.Modulus), ["e"] = Base64UrlEncoder.Encode(parameters.Exponent),
        };
    })];

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
