using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Tests.SignIn;

/// <summary>A provider that answers as the test asks, including answers that no honest provider gives.</summary>
internal sealed class HostileProvider : IAsyncDisposable
{
    public const string ClientId = "pulse", ClientSecret = "a secret that is at least thirty-two bytes long";

    private readonly WebApplication _app;
    private RSA _key = RSA.Create(2048);
    private int _keyId = 1;
    private readonly ConcurrentDictionary<string, string> _nonces = new();

    private HostileProvider(WebApplication app) => _app = app;

    public string Url { get; private set; } = "";

    /// <summary>Changes the next ID tokens before they are signed.</summary>
    public Action<SecurityTokenDescriptor> Tamper { get; set; } = _ => { };

    /// <summary>Makes the next ID tokens from the unsigned descriptor, instead of signing it.</summary>
    public Func<SecurityTokenDescriptor, string>? Forge { get; set; }

    /// <summary>Answers the next token requests instead.</summary>
    public Func<HttpContext, Task>? Token { get; set; }

    /// <summary>Answers the next requests for the discovery document instead.</summary>
    public Func<HttpContext, Task>? Discovery { get; set; }

    /// <summary>The form of the last token request.</summary>
    public IFormCollection? LastTokenRequest { get; private set; }

    public static async Task<HostileProvider> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var provider = new HostileProvider(builder.Build());
        provider._app.MapGet("/.well-known/openid-configuration", provider.DiscoverAsync);
        provider._app.MapGet("/organizations/v2.0/.well-known/openid-configuration", provider.DiscoverTenantsAsync);
        provider._app.MapGet("/jwks", () => new Dictionary<string, object> { ["keys"] = new[] { provider.PublicKey() } });
        provider._app.MapGet("/authorize", provider.Authorize);
        provider._app.MapPost("/token", provider.ExchangeAsync);
        await provider._app.StartAsync();
        provider.Url = provider._app.Urls.Single();
        return provider;
    }

    /// <summary>Makes the provider honest again.</summary>
    public void Reset() => (Tamper, Forge, Token, Discovery) = (_ => { }, null, null, null);

    /// <summary>Replaces the only key.</summary>
    public void RotateKey()
    {
        _key.Dispose();
        _key = RSA.Create(2048);
        _keyId++;
    }

    /// <summary>Sets the nonce that belongs to a code, for a test that swaps them.</summary>
    public void SetNonce(string code, string nonce) => _nonces[code] = nonce;

    public ValueTask DisposeAsync()
    {
        _key.Dispose();
        return _app.DisposeAsync();
    }

    private Task DiscoverAsync(HttpContext context) => Discovery is { } instead ? instead(context) : context.Response.WriteAsJsonAsync(new Dictionary<string, object>
    {
        ["issuer"] = Url,
        ["authorization_endpoint"] = $"{Url}/authorize",
        ["token_endpoint"] = $"{Url}/token",
        ["jwks_uri"] = $"{Url}/jwks",
    });

    // Like Entra's: one document for all tenants, whose issuer is a template.
    private Task DiscoverTenantsAsync(HttpContext context) => context.Response.WriteAsJsonAsync(new Dictionary<string, object>
    {
        ["issuer"] = Url + "/{tenantid}/v2.0",
        ["authorization_endpoint"] = $"{Url}/authorize",
        ["token_endpoint"] = $"{Url}/token",
        ["jwks_uri"] = $"{Url}/jwks",
    });

    private IResult Authorize(HttpRequest request)
    {
        var code = RandomNumberGenerator.GetHexString(32);
        _nonces[code] = request.Query["nonce"].ToString();
        return Results.Redirect($"{request.Query["redirect_uri"]}?code={code}&state={Uri.EscapeDataString(request.Query["state"].ToString())}");
    }

    private async Task ExchangeAsync(HttpContext context)
    {
        LastTokenRequest = await context.Request.ReadFormAsync();
        if (Token is { } instead)
        {
            await instead(context);
            return;
        }

        // Accepts any code any number of times, because Pulse must be safe even then.
        var nonce = _nonces.GetValueOrDefault(LastTokenRequest["code"].ToString(), "");
        var now = DateTime.UtcNow;
        var descriptor = new SecurityTokenDescriptor
        {
            Issuer = Url,
            Audience = ClientId,
            IssuedAt = now,
            NotBefore = now,
            Expires = now.AddMinutes(5),
            Claims = new Dictionary<string, object> { ["sub"] = "mallory", ["nonce"] = nonce, ["email"] = "mallory@hostile.example", ["email_verified"] = false },
            SigningCredentials = new(new RsaSecurityKey(_key) { KeyId = $"{_keyId}" }, SecurityAlgorithms.RsaSha256),
        };
        Tamper(descriptor);
        var handler = new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false };
        await context.Response.WriteAsJsonAsync(new Dictionary<string, object>
        {
            ["access_token"] = "opaque", ["token_type"] = "Bearer", ["expires_in"] = 300, ["id_token"] = Forge?.Invoke(descriptor) ?? handler.CreateToken(descriptor),
        });
    }

    private Dictionary<string, string> PublicKey()
    {
        var parameters = _key.ExportParameters(includePrivateParameters: false);
        return new()
        {
            ["kty"] = "RSA", ["use"] = "sig", ["alg"] = "RS256", ["kid"] = $"{_keyId}",
            ["n"] = Base64UrlEncoder.Encode(parameters.Modulus), ["e"] = Base64UrlEncoder.Encode(parameters.Exponent),
        };
    }
}
