using System.Text.Json.Serialization;
using Pulse.Web.Http;

namespace Pulse.Web.Sessions;

/// <summary>Serialization of answers about sessions.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(SessionResponse[]))]
internal sealed partial class SessionJson : JsonSerializerContext;
