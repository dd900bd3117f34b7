using System.Text.Json.Serialization;
using Pulse.Web.Http;

namespace Pulse.Web.Keys;

/// <summary>Serialization of published keys.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(PublishedKeySet))]
internal sealed partial class KeyJson : JsonSerializerContext;
