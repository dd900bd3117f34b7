using System.Buffers.Text;
using System.Diagnostics;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Pulse.Web.Tests.Auth;

/// <summary>
/// Session tokens of an Auth.js application: real ones, made by Auth.js itself, and hand-made ones that it would not make.
/// </summary>
internal static class AuthJsTokens
{
    /// <summary>The application's issuer name in Pulse's settings.</summary>
    public const string Issuer = "https://next.example";

    public const string Secret = "an AUTH_SECRET that is for tests alone, 0123456789";
    public const string OtherSecret = "an AUTH_SECRET of somebody else's, 0123456789";
    public const string Cookie = "authjs.session-token";
    public const string SecureCookie = "__Secure-authjs.session-token";

    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    /// <summary>Claims as Auth.js has them before it adds <c>iat</c>, <c>exp</c> and <c>jti</c>.</summary>
    public static JsonObject Claims(string? subject = null, string? email = null) =>
        new() { ["name"] = "Ada", ["email"] = email, ["picture"] = null, ["sub"] = subject ?? Guid.NewGuid().ToString() };

    /// <summary>A token by <c>@auth/core</c>.</summary>
    public static async Task<string> MintAsync(JsonObject claims, string cookie = Cookie, string secret = Secret, int maxAgeSeconds = 3600)
    {
        var start = new ProcessStartInfo("node", [Path.Combine(NodePackage.Folder("authjs-tokens"), "mint.mjs")])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        using var node = Process.Start(start)!;
        var order = new JsonObject { ["token"] = claims.DeepClone(), ["secret"] = secret, ["salt"] = cookie, ["maxAge"] = maxAgeSeconds };
        await node.StandardInput.WriteAsync(order.ToJsonString());
        node.StandardInput.Close();
        var token = await node.StandardOutput.ReadToEndAsync().WaitAsync(s_bound);
        return token.Length > 0 ? token : throw new InvalidOperationException("mint.mjs printed no token; what it says is above.");
    }

    /// <summary>The header that Auth.js writes, except the <c>kid</c>.</summary>
    public static JsonObject Header() => new() { ["alg"] = "dir", ["enc"] = "A256CBC-HS512" };

    /// <summary>
    /// A token with any claims, valid for an hour unless they say otherwise, under a header that Auth.js might have written.
    /// </summary>
    public static string ByHand(Action<JsonObject>? change = null)
    {
        var claims = Claims();
        (claims["iat"], claims["exp"]) = (TestTokens.In(0), TestTokens.In(3600));
        change?.Invoke(claims);
        return ByHand(Header(), claims.ToJsonString());
    }

    /// <summary>Any header over any payload, encrypted as A256CBC-HS512 (RFC 7518 section 5.2) under the key for <see cref="Cookie"/>.</summary>
    public static string ByHand(JsonObject header, string payload, string secret = Secret) => ByHand(header, Encoding.UTF8.GetBytes(payload), secret);

    /// <inheritdoc cref="ByHand(JsonObject, string, string)"/>
    public static string ByHand(JsonObject header, byte[] payload, string secret = Secret)
    {
        var key = HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret), 64, Encoding.UTF8.GetBytes(Cookie), Encoding.UTF8.GetBytes($"Auth.js Generated Encryption Key ({Cookie})"));
        var protectedHeader = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.ToJsonString()));

        using var aes = Aes.Create();
        aes.Key = key[32..];
        var vector = RandomNumberGenerator.GetBytes(16);
        var cipherText = aes.EncryptCbc(payload, vector);
        var additional = Encoding.ASCII.GetBytes(protectedHeader);
        var bits = new byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteInt64BigEndian(bits, additional.Length * 8L);
        byte[] authenticated = [.. additional, .. vector, .. cipherText, .. bits];
        var tag = HMACSHA512.HashData(key[..32], authenticated);
        return $"{protectedHeader}..{Base64Url.EncodeToString(vector)}.{Base64Url.EncodeToString(cipherText)}.{Base64Url.EncodeToString(tag.AsSpan(0, 32))}";
    }
}
