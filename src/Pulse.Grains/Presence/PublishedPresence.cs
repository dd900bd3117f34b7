using Pulse.Presence;

namespace Pulse.Grains.Presence;

/// <summary>The presence of a user as watchers see it, and its versions.</summary>
/// <remarks>
/// Becoming invisible looks like disconnecting: offline, last seen at that moment. lastSeen then stays unchanged, also in the database,
/// until the user has been visible again and disconnects. This conceals both the activity and the final disconnect of an invisible user
/// from present watchers and later readers. The cost: the real time at which a user disconnected while invisible is lost to all users,
/// including that user.
/// </remarks>
internal sealed class PublishedPresence(Guid userId)
{
    private PresenceSnapshot? _published;

    /// <summary>Updates the snapshot to the present state.</summary>
    /// <param name="status">The user's own status. <see cref="PresenceStatus.Offline"/> without a connection.</param>
    /// <param name="message">The user's message. It is concealed together with the user.</param>
    /// <param name="lastSeenAt">When the user was last seen.</param>
    /// <param name="concealed">Whether other users see the user as offline although the own status differs.</param>
    /// <param name="provisional">See <see cref="PresenceSnapshot.IsProvisional"/>.</param>
    /// <param name="now">The silo's clock, UTC. Makes the first version of an activation higher than the last of the previous one.</param>
    /// <returns>The snapshot, and whether it has changed.</returns>
    public (PresenceSnapshot Snapshot, bool Changed) Update(
        PresenceStatus status, string? message, DateTimeOffset? lastSeenAt, bool concealed, bool provisional, DateTimeOffset now)
    {
        var hidden = concealed || status is PresenceStatus.Invisible or PresenceStatus.Offline;
        var snapshot = new PresenceSnapshot
        {
            UserId = userId,
            Status = hidden ? PresenceStatus.Offline : status,
            OwnStatus = status,
            Message = hidden ? null : message,
            LastSeenAt = lastSeenAt,
            IsProvisional = provisional,
            Version = _published?.Version ?? 0,
            VersionForOthers = _published?.VersionForOthers ?? 0,
        };
        if (snapshot == _published) return (_published, false);

        var looksTheSame = _published is { } last && (last.Status, last.Message, last.LastSeenAt) == (snapshot.Status, snapshot.Message, snapshot.LastSeenAt);
        _published = snapshot with
        {
            Version = Next(snapshot.Version, now),
            VersionForOthers = looksTheSame ? snapshot.VersionForOthers : Next(snapshot.VersionForOthers, now),
        };
        return (_published, true);
    }

    /// <summary>
    /// Raises the version above the one that a front end knows, because an earlier activation's clock may have been ahead.
    /// </summary>
    /// <param name="knownVersion">The version that the front end knows. With 0 the snapshot gets new versions.</param>
    /// <param name="now">The silo's clock, UTC.</param>
    public void AdvancePast(long knownVersion, DateTimeOffset now)
    {
        if (_published is null) return;

        // The version is fresh, because a viewer could infer from an old version that this activation has been in use, and therefore that an
        // invisible user is connected.
        if (knownVersion == 0) _published = _published with { Version = Next(_published.Version, now), VersionForOthers = Next(_published.VersionForOthers, now) };
        else if (_published.Version < knownVersion) _published = _published with { Version = knownVersion + 1, VersionForOthers = knownVersion + 1 };
    }

    // Milliseconds, because a JavaScript number holds them exactly.
    private static long Next(long version, DateTimeOffset now) => Math.Max(version + 1, now.ToUnixTimeMilliseconds());
}
