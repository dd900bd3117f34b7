using System.Text.Json.Serialization;
using Pulse.Presence;
using Pulse.Web.Http;

namespace Pulse.Web.Presence;

/// <summary>A user's presence: what <c>GET /presence</c> and <c>WatchPresence</c> answer, and what <c>PresenceChanged</c> tells.</summary>
/// <param name="UserId">Whose it is.</param>
/// <param name="Status"><c>online</c>, <c>away</c>, <c>busy</c> or <c>offline</c>; to the user themselves also <c>invisible</c>.</param>
/// <param name="Message">The user's own words, or <see langword="null"/>.</param>
/// <param name="LastSeen">See <see cref="PresenceSnapshot.LastSeenAt"/>.</param>
/// <param name="Version">
/// See <see cref="PresenceSnapshot.Version"/>, and for others <see cref="PresenceSnapshot.VersionForOthers"/>; below 2^53. On the hub alone, where answers and
/// changes can overtake one another.
/// </param>
public sealed record PresenceResponse(
    Guid UserId,
    string Status,
    string? Message,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset? LastSeen,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Version)
{
    private const string Invisible = "invisible";

    /// <summary>What others may see of that snapshot.</summary>
    public static PresenceResponse From(PresenceSnapshot snapshot) => new(
        snapshot.UserId,
        WireName(snapshot.Status),
        // The words of somebody invisible would give them away.
        snapshot.Status == PresenceStatus.Invisible ? null : snapshot.Message,
        snapshot.LastSeenAt,
        snapshot.VersionForOthers == 0 ? snapshot.Version : snapshot.VersionForOthers);

    /// <summary>What the users themselves see.</summary>
    public static PresenceResponse OwnFrom(PresenceSnapshot snapshot) => From(snapshot) with
    {
        Status = snapshot.OwnStatus == PresenceStatus.Invisible ? Invisible : WireName(snapshot.Status),
        Version = snapshot.Version,
    };

    /// <summary>What one viewer sees.</summary>
    public static PresenceResponse For(Guid viewerId, PresenceSnapshot snapshot) => viewerId == snapshot.UserId ? OwnFrom(snapshot) : From(snapshot);

    /// <summary>What somebody sees of a user whom they may not see.</summary>
    public static PresenceResponse Hidden(Guid userId) => new(userId, WireName(PresenceStatus.Offline), null, null, 0);

    /// <summary>Reads a status that a client sets; <c>offline</c> is none of them.</summary>
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
        // A newer silo's status counts as Online; see PresenceStatus.
        _ => "online",
    };
}
