using System.Text.Json.Serialization;
using Pulse.Web.Http;

namespace Pulse.Web.Admin;

/// <summary>Serialization of answers to operators.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(AdminUserResponse))]
[JsonSerializable(typeof(AdminUsersResponse))]
[JsonSerializable(typeof(KeyRotationResponse))]
internal sealed partial class AdminJson : JsonSerializerContext;
