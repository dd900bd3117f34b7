using System.Text.Json.Serialization;
using Pulse.Web.Http;

namespace Pulse.Web.Users;

/// <summary>Serialization of answers about users.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(ConnectionResponse[]))]
[JsonSerializable(typeof(PublicUserResponse))]
[JsonSerializable(typeof(SubjectResponse[]))]
[JsonSerializable(typeof(UserExport))]
[JsonSerializable(typeof(UserResponse))]
internal sealed partial class UserJson : JsonSerializerContext;

/// <summary>Deserialization of request bodies: exact names, limited depth, and a refusal of unknown or repeated members.</summary>
/// <remarks>An unknown member is a client's mistake, which silent acceptance would hide.</remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    MaxDepth = 8)]
[JsonSerializable(typeof(ProfileSyncRequest))]
internal sealed partial class UserRequestJson : JsonSerializerContext;
