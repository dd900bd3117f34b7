using System.Text.Json.Serialization;
using Pulse.Users;
using Pulse.Web.Http;

namespace Pulse.Web.Users;

/// <summary>A user's own view of the profile.</summary>
/// <param name="Id">User id.</param>
/// <param name="Email">Normalized address, hidden from other users.</param>
/// <param name="Name">Display name.</param>
/// <param name="Avatar">Picture URL, or <see langword="null"/>.</param>
/// <param name="CreatedAt">When the user was created, UTC.</param>
/// <param name="LastSeen">End of the last connection, UTC. <see langword="null"/> if the user never connected.</param>
/// <param name="EmailVerified">Whether the address is proven. An unproven one is stored for this user only, and any number of users may
/// have it.</param>
internal sealed record UserResponse(
    Guid Id,
    string Email,
    string Name,
    string? Avatar,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset CreatedAt,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset? LastSeen,
    bool EmailVerified)
{
    /// <summary>The answer for a stored profile.</summary>
    public static UserResponse From(UserProfile user) => new(user.Id, user.Email, user.Name, user.Avatar, user.CreatedAt, user.LastSeenAt, user.EmailVerified);
}

/// <summary>The user of a trusted issuer's subject.</summary>
/// <param name="Subject">The tokens' <c>sub</c>.</param>
/// <param name="Id">User id.</param>
internal sealed record SubjectResponse(string Subject, Guid Id);

/// <summary>Other users' view of a user.</summary>
/// <param name="Id">User id.</param>
/// <param name="Name">Display name.</param>
/// <param name="Avatar">Picture URL, or <see langword="null"/>.</param>
internal sealed record PublicUserResponse(Guid Id, string Name, string? Avatar)
{
    /// <summary>The public part of the stored profile.</summary>
    public static PublicUserResponse From(UserProfile user) => new(user.Id, user.Name, user.Avatar);
}
