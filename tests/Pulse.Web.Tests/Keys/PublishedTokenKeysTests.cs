using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using Pulse.Web.Keys;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;
using Pulse.Web.Tokens;

namespace Pulse.Web.Tests.Keys;

/// <summary>The keys with which other programs verify Pulse's own tokens.</summary>
[Collection(SharedPulse.Name)]
public sealed class PublishedTokenKeysTests(PulseApplication pulse)
{
    [Fact]
    public async Task Token_IsVerifiedWithThePublishedKeysAlone()
    {
        using var answer = await pulse.Anonymous.GetAsync("/.well-known/jwks.json");
        var published = (await answer.ReadAsync(HttpStatusCode.OK)).ToJsonString();
        var token = Issue();

        var result = await new JsonWebTokenHandler().ValidateTokenAsync(token, new TokenValidationParameters
        {
            ValidIssuer = "pulse", ValidAudience = "pulse", IssuerSigningKeys = new JsonWebKeySet(published).GetSigningKeys(), ValidAlgorithms = ["ES256"],
        });

        Assert.True(result.IsValid, result.Exception?.Message);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("public, max-age=300", answer.Headers.CacheControl?.ToString());
    }

    [Fact]
    public async Task PublishedKeys_HaveTheMembersOfAPublicKeyAndNoOthers()
    {
        using var answer = await pulse.Anonymous.GetAsync("/.well-known/jwks.json");
        var keys = (await answer.ReadAsync(HttpStatusCode.OK))["keys"]!.AsArray();

        Assert.NotEmpty(keys);
        Assert.All(keys, key =>
        {
            Assert.Equal(["alg", "crv", "kid", "kty", "use", "x", "y"], key!.AsObject().Select(member => member.Key).Order());
            Assert.Equal(("ES256", "P-256", "EC", "sig"), ((string?)key["alg"], (string?)key["crv"], (string?)key["kty"], (string?)key["use"]));
        });
    }

    [Theory]
    [InlineData("another key under our key id")]
    [InlineData("an unknown key id")]
    [InlineData("no key id")]
    [InlineData("the public key as an HMAC secret")]
    public async Task TokenWithoutASignatureOfAnOwnKey_IsRefused(string how)
    {
        var good = new JsonWebToken(Issue());
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var token = how switch
        {
            "another key under our key id" => Sign(new() { ["alg"] = "ES256", ["kid"] = good.Kid }, other),
            "an unknown key id" => Sign(new() { ["alg"] = "ES256", ["kid"] = "unknown" }, other),
            "no key id" => Sign(new() { ["alg"] = "ES256" }, other),
            _ => TestTokens.Hs256(TestTokens.Claims(), await PublicKeyAsync()),
        };

        using var client = pulse.As(token);
        using var answer = await client.GetAsync("/auth/me");

        await answer.ReadProblemAsync(HttpStatusCode.Unauthorized, "token-invalid");
    }

    [Fact]
    public async Task SecretSignedToken_IsAcceptedAsBefore()
    {
        using var client = pulse.As(TestTokens.Hs256(TestTokens.Claims()));
        using var answer = await client.GetAsync("/auth/me");

        await answer.ReadProblemAsync(HttpStatusCode.NotFound, "not-synced");
    }

    private string Issue() => pulse.Services.GetRequiredService<TokenIssuer>()
        .Issue(new() { Id = Guid.NewGuid(), Email = "ada@example.com", Name = "Ada", CreatedAt = DateTimeOffset.UtcNow }).Value;

    private async Task<string> PublicKeyAsync()
    {
        await pulse.Services.GetRequiredService<TokenKeys>().TryReadAsync();
        var key = pulse.Services.GetRequiredService<TokenKeys>().Known!.Keys[0].PublicKey;
        using var pair = ECDsa.Create(new ECParameters
        {
            Curve = ECCurve.NamedCurves.nistP256, Q = new() { X = Base64UrlEncoder.DecodeBytes(key.X), Y = Base64UrlEncoder.DecodeBytes(key.Y) },
        });
        return pair.ExportSubjectPublicKeyInfoPem();
    }

    private static string Sign(JsonObject header, ECDsa key)
    {
        var signed = $"{Base64UrlEncoder.Encode(header.ToJsonString())}.{Base64UrlEncoder.Encode(TestTokens.Claims().ToJsonString())}";
        return $"{signed}.{Base64UrlEncoder.Encode(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256))}";
    }
}
