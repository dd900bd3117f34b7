using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc;
using Pulse.Web.Admin;
using Pulse.Web.Auth;
using Pulse.Web.Keys;
using Pulse.Web.Presence;
using Pulse.Web.Sessions;
using Pulse.Web.SignIn;
using Pulse.Web.Users;

namespace Pulse.Web.Http;

/// <summary>Serialization of answers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(AccessToken))]
[JsonSerializable(typeof(AccountResponse[]))]
[JsonSerializable(typeof(AdminUserResponse))]
[JsonSerializable(typeof(AdminUsersResponse))]
[JsonSerializable(typeof(ConnectionResponse[]))]
[JsonSerializable(typeof(HttpValidationProblemDetails))]
[JsonSerializable(typeof(HubTicket))]
[JsonSerializable(typeof(KeyRotationResponse))]
[JsonSerializable(typeof(PresenceResponse[]))]
[JsonSerializable(typeof(ProblemDetails))]
[JsonSerializable(typeof(PublicUserResponse))]
[JsonSerializable(typeof(PublishedKeySet))]
[JsonSerializable(typeof(SessionResponse[]))]
[JsonSerializable(typeof(SubjectResponse[]))]
[JsonSerializable(typeof(UserExport))]
[JsonSerializable(typeof(UserResponse))]
internal sealed partial class PulseJson : JsonSerializerContext;

/// <summary>Deserialization of request bodies: exact names, limited depth, and a refusal of unknown or repeated members.</summary>
/// <remarks>An unknown member is a client's mistake, which silent acceptance would hide.</remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    MaxDepth = 8)]
[JsonSerializable(typeof(DevSignInRequest))]
[JsonSerializable(typeof(EmailSignInRequest))]
[JsonSerializable(typeof(ProfileSyncRequest))]
internal sealed partial class StrictJson : JsonSerializerContext;
