using Microsoft.AspNetCore.Http.HttpResults;
using Pulse.Silo.Clock;
using Pulse.Web.Http;

namespace Pulse.Web.Keys;

/// <summary>A key in the format of RFC 7517.</summary>
internal sealed record PublishedKey(string Kid, string Kty, string Crv, string X, string Y, string Use, string Alg);

/// <summary>A JWK Set (RFC 7517 section 5).</summary>
internal sealed record PublishedKeySet(IReadOnlyList<PublishedKey> Keys);

/// <summary><c>GET /.well-known/jwks.json</c>: the keys with which other programs verify Pulse's own tokens.</summary>
internal static class TokenKeyEndpoints
{
    /// <summary>Maps the route. The expected issuer and audience are the settings <c>Pulse:Auth:Issuer</c> and <c>:Audience</c>.</summary>
    public static void MapTokenKeys(this IEndpointRouteBuilder app) => app.MapGet("/.well-known/jwks.json", ReadAsync).WithTags("Keys")
        .AllowAnonymous()
        .WithSummary("Read the public keys of Pulse's own access tokens")
        .WithDescription("Algorithm ES256. A key stays listed as long as a token of it may live.");

    private static async Task<Results<Ok<PublishedKeySet>, ProblemHttpResult>> ReadAsync(
        HttpContext context, TokenKeys keys, [FromKeyedServices(ClockSetup.WallClock)] TimeProvider time)
    {
        // A program with another front end's token may request that token's key id here.
        await keys.TryReadAsync();
        if (keys.Known is not { } known) return ProblemTypes.Unavailable.ToResult();

        context.Response.Headers.CacheControl = $"public, max-age={(int)TokenKeys.CacheTime.TotalSeconds}";
        return TypedResults.Ok(new PublishedKeySet(
        [
            .. known.Accepted(time.GetUtcNow()).Select(key => key.PublicKey)
                .Select(key => new PublishedKey(key.KeyId, key.Kty, key.Crv, key.X, key.Y, "sig", "ES256")),
        ]));
    }
}
