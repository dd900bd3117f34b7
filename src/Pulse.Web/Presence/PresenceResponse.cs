using System.Text.Json.Serialization;
using Pulse.Presence;
using Pulse.Web.Http;

namespace Pulse.Web.Presence;

/// <summary>A user's presence as others see it.</summary>
/// <param name="UserId">Whose it is.</param>
/// <param name="Status"><c>online</c>, <c>away</c>, <c>busy</c> or <c>offline</c>.</param>
/// <param name="Message">The user's own words, or <see langword="null"/>.</param>
/// <param name="LastSeen">See <see cref="PresenceSnapshot.LastSeenAt"/>.</param>
internal sealed record PresenceResponse(
    Guid UserId,
    string Status,
    string? Message,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset? LastSeen)
{
    /// <summary>What others may see of that snapshot.</summary>
    public static PresenceResponse From(PresenceSnapshot snapshot) => new(
        snapshot.UserId,
        WireName(snapshot.Status),
        // The words of somebody invisible would give them away.
        snapshot.Status == PresenceStatus.Invisible ? null : snapshot.Message,
        snapshot.LastSeenAt);

    private static string WireName(PresenceStatus status) => status switch
    {
        PresenceStatus.Offline or PresenceStatus.Invisible => "offline",
        PresenceStatus.Away => "away",
        PresenceStatus.Busy => "busy",
        // A newer silo's status counts as Online; see PresenceStatus.
        _ => "online",
    };
}
