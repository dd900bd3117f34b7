using System.Buffers.Text;
using System.IO.Compression;
using System.Text;
using System.Text.Json.Nodes;
using static Pulse.Web.Tests.Auth.AuthJsTokens;

namespace Pulse.Web.Tests.Auth;

/// <summary>Every way in which a token of <see cref="AuthJsTokens.Issuer"/> can be wrong, and the answer to its bearer.</summary>
internal static class BadAuthJsTokens
{
    private const string NoJwt = "not a readable JWT";
    private const string NoKey = "cannot be opened with a key";
    private const string BadAlgorithm = "algorithm that is not accepted";
    private const string BadSubject = "subject";

    private static readonly Dictionary<string, (Func<Task<string>> Make, string Reason)> s_all = new()
    {
        // Made by Auth.js itself.
        ["expired"] = (() => MintAsync(Claims(), maxAgeSeconds: -60), "has expired"),
        ["not yet valid"] = (() => MintAsync(With("nbf", TestTokens.In(60))), "not valid yet"),
        ["other secret"] = (() => MintAsync(Claims(), secret: OtherSecret), NoKey),
        ["other cookie"] = (() => MintAsync(Claims(), cookie: "next-auth.session-token"), NoKey),
        ["no subject"] = (() => MintAsync(new JsonObject { ["name"] = "Ada" }), BadSubject),
        ["subject empty"] = (() => MintAsync(With("sub", "")), BadSubject),
        ["subject too long"] = (() => MintAsync(With("sub", new string('x', 256))), BadSubject),
        ["subject a number"] = (() => MintAsync(With("sub", 7)), BadSubject),
        ["subject an object"] = (() => MintAsync(With("sub", new JsonObject())), BadSubject),
        ["enormous"] = (() => MintAsync(With("x", new string('x', 12 * 1024))), NoJwt),
        ["tag cut"] = (async () => (await MintAsync(Claims()))[..^4], NoJwt),
        ["tag cut to nothing"] = (async () => Replace(await MintAsync(Claims()), 4, _ => ""), NoJwt),
        ["tag longer"] = (async () => Replace(await MintAsync(Claims()), 4, tag => tag + "AAAA"), NoJwt),
        ["tag changed"] = (async () => Replace(await MintAsync(Claims()), 4, Change), NoKey),
        ["cipher text changed"] = (async () => Replace(await MintAsync(Claims()), 3, Change), NoKey),
        ["cipher text of none"] = (async () => Replace(await MintAsync(Claims()), 3, _ => ""), ""),
        ["vector changed"] = (async () => Replace(await MintAsync(Claims()), 2, Change), NoKey),
        ["vector cut"] = (async () => Replace(await MintAsync(Claims()), 2, vector => vector[..^4]), NoJwt),
        ["no base64 within"] = (async () => Replace(await MintAsync(Claims()), 3, _ => "****"), ""),
        ["a key within"] = (async () => Replace(await MintAsync(Claims()), 1, _ => "AAAA"), NoJwt),
        ["six parts"] = (async () => await MintAsync(Claims()) + ".AAAA", NoJwt),
        ["header changed"] = (async () => Replace(await MintAsync(Claims()), 0, _ => Encode(Header())), NoKey),

        // Made by hand, and correctly encrypted.
        ["other kid"] = (Make(With(Header(), "kid", "other"), GoodPayload), NoKey),
        ["other secret without kid"] = (() => Task.FromResult(AuthJsTokens.ByHand(Header(), GoodPayload(), OtherSecret)), NoKey),
        ["other encryption"] = (Make(With(Header(), "enc", "A256GCM"), GoodPayload), BadAlgorithm),
        ["smaller encryption"] = (Make(With(Header(), "enc", "A128CBC-HS256"), GoodPayload), BadAlgorithm),
        ["wrapped key"] = (Make(With(Header(), "alg", "A256KW"), GoodPayload), BadAlgorithm),
        ["password"] = (Make(With(Header(), "alg", "PBES2-HS512+A256KW"), GoodPayload), BadAlgorithm),
        ["algorithm in other case"] = (Make(With(Header(), "alg", "DIR"), GoodPayload), BadAlgorithm),
        ["no algorithm"] = (Make(new JsonObject { ["enc"] = "A256CBC-HS512" }, GoodPayload), ""),
        ["no encryption"] = (Make(new JsonObject { ["alg"] = "dir" }, GoodPayload), ""),
        ["compressed"] = (() => Task.FromResult(AuthJsTokens.ByHand(With(Header(), "zip", "DEF"), Deflate(GoodPayload()))), "is not valid"),
        ["compressed bomb"] = (() => Task.FromResult(AuthJsTokens.ByHand(With(Header(), "zip", "DEF"), Deflate(new string(' ', 1 << 22)))), "is not valid"),
        ["said to be compressed"] = (Make(With(Header(), "zip", "GZ"), GoodPayload), "is not valid"),
        ["critical extension"] = (Make(With(With(Header(), "crit", new JsonArray("x")), "x", 1), GoodPayload), "is not valid"),
        ["no expiry"] = (ByHand(claims => claims.Remove("exp")), "has no expiry"),
        ["expiry null"] = (ByHand(claims => claims["exp"] = null), "has no expiry"),
        ["expiry a text"] = (ByHand(claims => claims["exp"] = "soon"), ""),
        ["expiry negative"] = (ByHand(claims => claims["exp"] = -1), ""),
        ["subject null"] = (ByHand(claims => claims["sub"] = null), BadSubject),
        ["payload a token of Pulse's own"] = (Make(With(Header(), "cty", "JWT"), () => TestTokens.Hs256(TestTokens.Claims())), NoJwt),
        ["payload a token unsigned"] = (Make(With(Header(), "cty", "JWT"), () => TestTokens.Unsigned(TestTokens.Claims())), NoJwt),
        ["payload an array"] = (Make(Header(), () => $"[{GoodPayload()}]"), NoJwt),
        ["payload null"] = (Make(Header(), () => "null"), NoJwt),
        ["payload no JSON"] = (Make(Header(), () => "hello"), NoJwt),
        ["payload cut"] = (Make(Header(), () => GoodPayload()[..^1]), NoJwt),
        ["subject twice"] = (Make(Header(), () => $$"""{"sub":"ada","sub":"bob","exp":{{TestTokens.In(3600)}}}"""), NoJwt),
        ["nested"] = (Make(Header(), () => Nested(2000)), NoJwt),
        ["deeper than JSON readers go"] = (Make(Header(), () => Nested(65)), NoJwt),
    };

    public static TheoryData<string> Names => [.. s_all.Keys];

    public static Task<string> MakeAsync(string name) => s_all[name].Make();

    /// <summary>Words that the refusal must contain; empty where either of two faults may be found first.</summary>
    public static string Reason(string name) => s_all[name].Reason;

    private static JsonObject With(string claim, JsonNode? value) => With(Claims(), claim, value);

    private static JsonObject With(JsonObject json, string member, JsonNode? value)
    {
        json[member] = value;
        return json;
    }

    private static Func<Task<string>> Make(JsonObject header, Func<string> payload) => () => Task.FromResult(AuthJsTokens.ByHand(header, payload()));

    private static Func<Task<string>> ByHand(Action<JsonObject> change) => () => Task.FromResult(AuthJsTokens.ByHand(change));

    private static string GoodPayload() => With("exp", TestTokens.In(3600)).ToJsonString();

    private static string Nested(int depth) => $$"""{"sub":"ada","exp":{{TestTokens.In(3600)}},"x":{{new string('[', depth)}}{{new string(']', depth)}}}""";

    private static string Replace(string token, int part, Func<string, string> change)
    {
        var parts = token.Split('.');
        parts[part] = change(parts[part]);
        return string.Join('.', parts);
    }

    // Changes the first character, because all of its bits count.
    private static string Change(string part) => (part[0] == 'A' ? 'B' : 'A') + part[1..];

    private static string Encode(JsonObject header) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header.ToJsonString()));

    private static byte[] Deflate(string text)
    {
        using var result = new MemoryStream();
        using (var deflate = new DeflateStream(result, CompressionLevel.Optimal)) deflate.Write(Encoding.UTF8.GetBytes(text));
        return result.ToArray();
    }
}
