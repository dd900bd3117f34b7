using Pulse.Presence;

namespace Pulse.Grains.Presence;

/// <summary>What others are shown of a user, and its version.</summary>
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
    /// <param name="provisional">See <see cref="PresenceSnapshot.IsProvisional"/>.</param>
    /// <param name="now">The silo's clock, UTC: makes the first version of an activation higher than the last of the one before.</param>
    /// <returns>The snapshot, and whether it is another than before.</returns>
    public (PresenceSnapshot Snapshot, bool Changed) Show(
        PresenceStatus status, string? message, DateTimeOffset? lastSeenAt, bool provisional, DateTimeOffset now)
    {
        var hidden = status is PresenceStatus.Invisible or PresenceStatus.Offline;
        var snapshot = new PresenceSnapshot
        {
            UserId = userId,
            Status = hidden ? PresenceStatus.Offline : status,
            OwnStatus = status,
            Message = hidden ? null : message,
            LastSeenAt = lastSeenAt,
            IsProvisional = provisional,
            Version = _shown?.Version ?? 0,
        };
        if (snapshot == _shown) return (_shown, false);

        // Milliseconds: a JavaScript number holds them exactly.
        _shown = snapshot with { Version = Math.Max(snapshot.Version + 1, now.ToUnixTimeMilliseconds()) };
        return (_shown, true);
    }

    /// <summary>A front end has seen <paramref name="version"/> of an earlier activation, whose clock was ahead: what is shown now comes after it.</summary>
    public void ComeAfter(long version)
    {
        if (_shown is not null && _shown.Version < version) _shown = _shown with { Version = version + 1 };
    }
}
