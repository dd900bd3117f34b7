using System.Text.Json.Serialization;
using Pulse.Web.Http;

namespace Pulse.Web.Tokens;

/// <summary>Serialization of tokens and tickets.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(AccessToken))]
[JsonSerializable(typeof(HubTicket))]
internal sealed partial class TokenJson : JsonSerializerContext;
