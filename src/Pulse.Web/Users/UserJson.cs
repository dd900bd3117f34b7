using System.Text.Json.Serialization;
using Pulse.Web.Http;

namespace Pulse.Web.Users;

/// <summary>How users are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(ConnectionResponse[]))]
[JsonSerializable(typeof(PublicUserResponse))]
[JsonSerializable(typeof(SubjectResponse[]))]
[JsonSerializable(typeof(UserExport))]
[JsonSerializable(typeof(UserResponse))]
internal sealed partial class UserJson : JsonSerializerContext;

/// <summary>How request bodies are read: exact names, no unknown or repeated member, nothing deep.</summary>
/// <remarks>A member that is not understood is a client's mistake; passing over it in silence would hide that from them.</remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    MaxDepth = 8)]
[JsonSerializable(typeof(ProfileSyncRequest))]
internal sealed partial class UserRequestJson : JsonSerializerContext;
