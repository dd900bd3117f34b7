using System.Text.Json.Serialization;
using Pulse.Presence;
using Pulse.Web.Http;

namespace Pulse.Web.Presence;

/// <summary>A user's presence, in the answers of <c>GET /presence</c> and <c>WatchPresence</c> and in <c>PresenceChanged</c>.</summary>
/// <param name="UserId">The user.</param>
/// <param name="Status"><c>online</c>, <c>away</c>, <c>busy</c> or <c>offline</c>. The user's own connections also get
/// <c>invisible</c>.</param>
/// <param name="Message">The user's own message, or <see langword="null"/>.</param>
/// <param name="LastSeen">End of the last connection, or the last sign of life of one that fell silent, UTC. <see langword="null"/> if the
/// user never connected.</param>
/// <param name="Version">
/// Grows with each change: of two presences of one user, the one with the higher version is newer. Below 2^53. Only
/// the hub sends it, because answers and changes can overtake each other there. See <see cref="PresenceSnapshot.Version"/> and, for other
/// users, <see cref="PresenceSnapshot.VersionForOthers"/>.
/// </param>
public sealed record PresenceResponse(
    Guid UserId,
    string Status,
    string? Message,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset? LastSeen,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Version)
{
    private const string Invisible = "invisible";

    /// <summary>The snapshot as other users may see it.</summary>
    public static PresenceResponse From(PresenceSnapshot snapshot) => new(
        snapshot.UserId,
        WireName(snapshot.Status),
        // The message of an invisible user would reveal the user.
        snapshot.Status == PresenceStatus.Invisible ? null : snapshot.Message,
        snapshot.LastSeenAt,
        snapshot.VersionForOthers == 0 ? snapshot.Version : snapshot.VersionForOthers);

    /// <summary>The snapshot as the user sees it.</summary>
    public static PresenceResponse OwnFrom(PresenceSnapshot snapshot) => From(snapshot) with
    {
        Status = snapshot.OwnStatus == PresenceStatus.Invisible ? Invisible : WireName(snapshot.Status),
        Version = snapshot.Version,
    };

    /// <summary>The snapshot as one viewer sees it.</summary>
    public static PresenceResponse For(Guid viewerId, PresenceSnapshot snapshot) => viewerId == snapshot.UserId ? OwnFrom(snapshot) : From(snapshot);

    /// <summary>The presence of a user that the viewer may not see.</summary>
    public static PresenceResponse Hidden(Guid userId) => new(userId, WireName(PresenceStatus.Offline), null, null, 0);

    /// <summary>Parses a status that a client sets. Clients cannot set <c>offline</c>.</summary>
    public static PresenceStatus? ParseStatus(string? text) => text switch
    {
        "online" => PresenceStatus.Online,
        "away" => PresenceStatus.Away,
        "busy" => PresenceStatus.Busy,
        Invisible => PresenceStatus.Invisible,
        _ => null,
    };

    private static string WireName(PresenceStatus status) => status switch
    {
        PresenceStatus.Offline or PresenceStatus.Invisible => "offline",
        PresenceStatus.Away => "away",
        PresenceStatus.Busy => "busy",
        // A newer silo's status counts as Online. See PresenceStatus.
        _ => "online",
    };
}
