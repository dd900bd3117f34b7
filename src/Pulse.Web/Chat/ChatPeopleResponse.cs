using System.Text.Json.Serialization;

namespace Pulse.Web.Chat;

/// <summary>Answer of <c>GET /chat/people</c>.</summary>
/// <param name="Items">Users that the caller may see, without the caller.</param>
internal sealed record ChatPeopleResponse(ChatPerson[] Items);

/// <summary>A user to talk to.</summary>
/// <param name="UserId">User id.</param>
/// <param name="Name">Display name.</param>
/// <param name="Avatar">Picture URL, or <see langword="null"/>.</param>
internal sealed record ChatPerson(Guid UserId, string Name, string? Avatar);

/// <summary>How the answer is written.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ChatPeopleResponse))]
internal sealed partial class ChatPageJson : JsonSerializerContext;
