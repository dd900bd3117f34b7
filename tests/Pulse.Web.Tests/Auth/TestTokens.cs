using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Pulse.Web.Tests.Auth;

/// <summary>Makes tokens by hand, including wrong ones that no library would make.</summary>
internal static class TestTokens
{
    public const string Key = "a signing key that is for tests alone, 0123456789";
    public const string OtherKey = "another key of somebody who is not trusted, 0123456789";

    /// <summary>Claims of a Pulse token that is valid for an hour.</summary>
    public static JsonObject Claims(Guid? userId = null, string? email = null) => Claims("pulse", (userId ?? Guid.NewGuid()).ToString(), email);

    /// <summary>Claims of a token of any issuer, valid for an hour, for the audience <c>pulse</c>.</summary>
    public static JsonObject Claims(string issuer, string subject, string? email = null)
    {
        var claims = new JsonObject { ["iss"] = issuer, ["aud"] = "pulse", ["sub"] = subject, ["iat"] = In(0), ["exp"] = In(3600) };
        if (email is not null) claims["email"] = email;
        return claims;
    }

    /// <summary>A NumericDate so many seconds from now.</summary>
    public static long In(int seconds) => DateTimeOffset.UtcNow.ToUnixTimeSeconds() + seconds;

    public static string Hs256(JsonObject claims, string key = Key) =>
        Sign(new JsonObject { ["alg"] = "HS256", ["typ"] = "JWT" }, claims.ToJsonString(), data => HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), data));

    public static string Hs512(JsonObject claims, string key = Key) =>
        Sign(new JsonObject { ["alg"] = "HS512", ["typ"] = "JWT" }, claims.ToJsonString(), data => HMACSHA512.HashData(Encoding.UTF8.GetBytes(key), data));

    public static string Rs256(JsonObject claims, RSA key, string? kid)
    {
        var header = new JsonObject { ["alg"] = "RS256", ["typ"] = "JWT" };
        if (kid is not null) header["kid"] = kid;
        return Sign(header, claims.ToJsonString(), data => key.SignData(data, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
    }

    public static string Unsigned(JsonObject claims) => Sign(new JsonObject { ["alg"] = "none" }, claims.ToJsonString(), _ => []);

    /// <summary>Any header and payload text under a good HS256 signature.</summary>
    public static string Raw(JsonObject header, string payload) =>
        Sign(header, payload, data => HMACSHA256.HashData(Encoding.UTF8.GetBytes(Key), data));

    /// <summary>A payload whose claim nests that deep, correctly signed.</summary>
    public static string Nested(int depth) => Raw(
        new JsonObject { ["alg"] = "HS256" },
        $$"""{"iss":"pulse","aud":"pulse","sub":"{{Guid.NewGuid()}}","exp":{{In(3600)}},"x":{{new string('[', depth)}}{{new string(']', depth)}}}""");

    private static string Sign(JsonObject header, string payload, Func<byte[], byte[]> sign)
    {
        var signed = $"{Encode(header.ToJsonString())}.{Encode(payload)}";
        return $"{signed}.{Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(signed)))}";
    }

    private static string Encode(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
}
