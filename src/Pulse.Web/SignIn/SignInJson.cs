using System.Text.Json.Serialization;
using Pulse.Web.Http;

namespace Pulse.Web.SignIn;

/// <summary>How external accounts are written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(AccountResponse[]))]
internal sealed partial class SignInJson : JsonSerializerContext;

/// <summary>How request bodies are read: exact names, no unknown or repeated member, nothing deep.</summary>
/// <remarks>A member that is not understood is a client's mistake; passing over it in silence would hide that from them.</remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    MaxDepth = 8)]
[JsonSerializable(typeof(DevSignInRequest))]
[JsonSerializable(typeof(EmailSignInRequest))]
internal sealed partial class SignInRequestJson : JsonSerializerContext;
