using System.Text.Json.Serialization;
using Pulse.Web.Http;

namespace Pulse.Web.Presence;

/// <summary>Serialization of answers about presence.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(PresenceResponse[]))]
internal sealed partial class PresenceJson : JsonSerializerContext;
