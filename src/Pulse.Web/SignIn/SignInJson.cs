using System.Text.Json.Serialization;
using Pulse.Web.Http;

namespace Pulse.Web.SignIn;

/// <summary>Serialization of answers about external accounts.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(AccountResponse[]))]
internal sealed partial class SignInJson : JsonSerializerContext;

/// <summary>Deserialization of request bodies: exact names, limited depth, and a refusal of unknown or repeated members.</summary>
/// <remarks>An unknown member is a client's mistake, which silent acceptance would hide.</remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    MaxDepth = 8)]
[JsonSerializable(typeof(DevSignInRequest))]
[JsonSerializable(typeof(EmailSignInRequest))]
internal sealed partial class SignInRequestJson : JsonSerializerContext;
