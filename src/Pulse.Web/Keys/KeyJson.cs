using System.Text.Json.Serialization;
using Pulse.Web.Http;

namespace Pulse.Web.Keys;

/// <summary>How published keys are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(PublishedKeySet))]
internal sealed partial class KeyJson : JsonSerializerContext;
