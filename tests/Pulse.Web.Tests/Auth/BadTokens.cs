using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Pulse.Web.Tests.Auth;

/// <summary>Every way in which a token for the issuer <c>pulse</c> can be wrong, and the answer to its bearer.</summary>
internal static class BadTokens
{
    private const string NoJwt = "not a readable JWT";
    private const string BadSignature = "signature is not valid";

    private static readonly Dictionary<string, (Func<string> Make, string Reason)> s_all = new()
    {
        ["malformed"] = (() => "not-a-token", NoJwt),
        ["two parts"] = (() => "eyJhbGciOiJIUzI1NiJ9.e30", NoJwt),
        ["five parts"] = (() => "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..AAAA.AAAA.AAAA", ""),
        ["no base64"] = (() => "*.*.*", NoJwt),
        ["no JSON"] = (() => TestTokens.Raw(new() { ["alg"] = "HS256" }, "hello"), NoJwt),
        ["payload an array"] = (() => TestTokens.Raw(new() { ["alg"] = "HS256" }, "[]"), NoJwt),
        ["issuer a number"] = (() => With(c => c["iss"] = 1), ""),
        ["issuer an object"] = (() => With(c => c["iss"] = new JsonObject()), ""),
        ["algorithm a number"] = (() => TestTokens.Raw(new() { ["alg"] = 1 }, TestTokens.Claims().ToJsonString()), ""),
        ["expired"] = (() => With(c => c["exp"] = TestTokens.In(-60)), "has expired"),
        ["no expiry"] = (() => With(c => c.Remove("exp")), "has no expiry"),
        ["expiry a text"] = (() => With(c => c["exp"] = "soon"), ""),
        ["expiry negative"] = (() => With(c => c["exp"] = -1), ""),
        ["not yet valid"] = (() => With(c => c["nbf"] = TestTokens.In(60)), "not valid yet"),
        ["other audience"] = (() => With(c => c["aud"] = "other"), "another audience"),
        ["no audience"] = (() => With(c => c.Remove("aud")), "another audience"),
        ["other issuer"] = (() => With(c => c["iss"] = "https://elsewhere.example"), "not trusted"),
        ["no issuer"] = (() => With(c => c.Remove("iss")), "not trusted"),
        ["issuer in other case"] = (() => With(c => c["iss"] = "Pulse"), "not trusted"),
        ["other key"] = (() => TestTokens.Hs256(TestTokens.Claims(), TestTokens.OtherKey), BadSignature),
        ["other kid and key"] = (() => Sign("other", TestTokens.OtherKey), BadSignature),
        ["other algorithm"] = (() => TestTokens.Hs512(TestTokens.Claims()), ""),
        ["none"] = (() => TestTokens.Unsigned(TestTokens.Claims()), ""),
        ["RS256"] = (Rs256, ""),
        ["signature cut"] = (() => TestTokens.Hs256(TestTokens.Claims())[..^4], BadSignature),
        ["payload changed"] = (Tampered, BadSignature),
        ["critical extension"] = (() => TestTokens.Raw(new() { ["alg"] = "HS256", ["crit"] = new JsonArray("x"), ["x"] = 1 }, TestTokens.Claims().ToJsonString()), ""),
        ["subject no UUID"] = (() => With(c => c["sub"] = "ada"), "subject"),
        ["subject nil"] = (() => With(c => c["sub"] = Guid.Empty.ToString()), "subject"),
        ["no subject"] = (() => With(c => c.Remove("sub")), "subject"),
        ["subject a number"] = (() => With(c => c["sub"] = 123), "subject"),
        ["subject null"] = (() => With(c => c["sub"] = null), "subject"),
        ["subject twice"] = (() => Repeat("sub", $"\"{Guid.NewGuid()}\""), NoJwt),
        ["e-mail twice"] = (() => Repeat("email", "\"mallory@example.com\""), NoJwt),
        ["issued in the future"] = (() => With(c => c["iat"] = TestTokens.In(300)), "not valid yet"),
        ["issued at a text"] = (() => With(c => c["iat"] = "soon"), ""),
        ["type logout token"] = (() => Typed("logout+jwt"), "is not valid"),
        ["type security event"] = (() => Typed("secevent+jwt"), "is not valid"),
        ["type a number"] = (() => Typed(1), ""),
        ["enormous"] = (() => With(c => c["x"] = new string('x', 12 * 1024)), NoJwt),
        ["nested"] = (() => TestTokens.Nested(2000), NoJwt),
        ["deeper than JSON readers go"] = (() => TestTokens.Nested(65), NoJwt),
    };

    public static TheoryData<string> Names => [.. s_all.Keys];

    public static string Make(string name) => s_all[name].Make();

    /// <summary>Words that the refusal must contain; empty where the framework may find either of two faults first.</summary>
    public static string Reason(string name) => s_all[name].Reason;

    private static string With(Action<JsonObject> change)
    {
        var claims = TestTokens.Claims();
        change(claims);
        return TestTokens.Hs256(claims);
    }

    private static string Repeat(string claim, string json)
    {
        var claims = TestTokens.Claims(email: "ada@example.com").ToJsonString();
        return TestTokens.Raw(new() { ["alg"] = "HS256" }, $"{claims[..^1]},\"{claim}\":{json}}}");
    }

    private static string Typed(JsonNode type) => TestTokens.Raw(new() { ["alg"] = "HS256", ["typ"] = type }, TestTokens.Claims().ToJsonString());

    private static string Sign(string kid, string key)
    {
        var token = TestTokens.Raw(new() { ["alg"] = "HS256", ["kid"] = kid }, TestTokens.Claims().ToJsonString());
        var signed = token[..token.LastIndexOf('.')];
        return $"{signed}.{System.Buffers.Text.Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(key), Encoding.ASCII.GetBytes(signed)))}";
    }

    private static string Rs256()
    {
        using var key = RSA.Create(2048);
        return TestTokens.Rs256(TestTokens.Claims(), key, kid: null);
    }

    private static string Tampered()
    {
        var mine = TestTokens.Hs256(TestTokens.Claims()).Split('.');
        var theirs = TestTokens.Hs256(TestTokens.Claims()).Split('.');
        return $"{mine[0]}.{theirs[1]}.{mine[2]}";
    }
}
