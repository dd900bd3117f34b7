using Pulse.Presence;

namespace Pulse.Grains.Presence;

/// <summary>What others are shown of a user, and its versions.</summary>
/// <remarks>
/// Hiding looks like leaving: offline, last seen at that moment. lastSeen then stands still until the user is visible and goes again, in the database too,
/// so that neither what they do meanwhile nor that they leave in the end is seen, by those who watch or by those who look later. The price: nobody,
/// the user themselves included, learns when somebody who left while invisible really left.
/// </remarks>
internal sealed class Visibility(Guid userId)
{
    private PresenceSnapshot? _shown;

    /// <summary>Takes in the present state.</summary>
    /// <param name="status">The user's own status; <see cref="PresenceStatus.Offline"/> without a connection.</param>
    /// <param name="message">The user's words; hidden together with the user.</param>
    /// <param name="lastSeenAt">When the user was last seen.</param>
    /// <param name="concealed">Whether others see the user as offline although the status is another.</param>
    /// <param name="provisional">See <see cref="PresenceSnapshot.IsProvisional"/>.</param>
    /// <param name="now">The silo's clock, UTC: makes the first version of an activation higher than the last of the one before.</param>
    /// <returns>The snapshot, and whether it is another than before.</returns>
    public (PresenceSnapshot Snapshot, bool Changed) Show(
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
            Version = _shown?.Version ?? 0,
            VersionForOthers = _shown?.VersionForOthers ?? 0,
        };
        if (snapshot == _shown) return (_shown, false);

        var looksTheSame = _shown is { } last && (last.Status, last.Message, last.LastSeenAt) == (snapshot.Status, snapshot.Message, snapshot.LastSeenAt);
        _shown = snapshot with
        {
            Version = Next(snapshot.Version, now),
            VersionForOthers = looksTheSame ? snapshot.VersionForOthers : Next(snapshot.VersionForOthers, now),
        };
        return (_shown, true);
    }

    /// <summary>A front end asks. What it is told comes after all that it has seen of an earlier activation, whose clock may have been ahead.</summary>
    /// <param name="knownVersion">What it has seen; 0 for nothing: then what it is told has versions of its own.</param>
    /// <param name="now">The silo's clock, UTC.</param>
    public void Ask(long knownVersion, DateTimeOffset now)
    {
        if (_shown is null) return;

        // Else whoever looks again would learn from an old version that this activation has not been idle, and so that a hidden user is here.
        if (knownVersion == 0) _shown = _shown with { Version = Next(_shown.Version, now), VersionForOthers = Next(_shown.VersionForOthers, now) };
        else if (_shown.Version < knownVersion) _shown = _shown with { Version = knownVersion + 1, VersionForOthers = knownVersion + 1 };
    }

    // Milliseconds: a JavaScript number holds them exactly.
    private static long Next(long version, DateTimeOffset now) => Math.Max(version + 1, now.ToUnixTimeMilliseconds());
}
