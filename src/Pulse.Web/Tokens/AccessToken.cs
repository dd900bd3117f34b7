using System.Text.Json.Serialization;
using Pulse.Web.Http;

namespace Pulse.Web.Tokens;

/// <summary>An access token for REST and the hub, in an answer.</summary>
/// <param name="Value">The JWT.</param>
/// <param name="ExpiresAt">When it expires, UTC.</param>
internal sealed record AccessToken(
    [property: JsonPropertyName("accessToken")] string Value,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset ExpiresAt);
