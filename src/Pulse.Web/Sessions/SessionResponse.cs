using System.Text.Json.Serialization;
using Pulse.Identity;
using Pulse.Web.Http;

namespace Pulse.Web.Sessions;

/// <summary>One of the caller's sign-ins.</summary>
/// <param name="Id">The id for <c>DELETE /auth/sessions/{id}</c>.</param>
/// <param name="Device">Readable name, such as <c>Firefox on Windows</c>.</param>
/// <param name="Address">Client address of the latest known use, or <see langword="null"/>.</param>
/// <param name="CreatedAt">When the user signed in.</param>
/// <param name="LastUsedAt">Latest known use, accurate to a day.</param>
/// <param name="ExpiresAt">When it expires unless it is used.</param>
/// <param name="Current">Whether the request itself belongs to it.</param>
internal sealed record SessionResponse(
    Guid Id,
    string Device,
    string? Address,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset CreatedAt,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset LastUsedAt,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset ExpiresAt,
    bool Current)
{
    /// <summary>The session as its owner sees it.</summary>
    public static SessionResponse From(SignInSession session, Guid? current) => new(
        session.Id, DeviceName.From(session.Device), session.Address, session.CreatedAt, session.LastUsedAt, session.ExpiresAt, session.Id == current);
}
