namespace Pulse.Grains.Conversations;

/// <summary>The typing users of a conversation.</summary>
internal sealed class TypingUsers(TimeProvider time)
{
    private const int MaxShown = 5;

    private static readonly TimeSpan s_lifetime = TimeSpan.FromSeconds(6);

    // Clients repeat their call every 3 seconds, and a mark that is not repeated ends after 6.
    private static readonly TimeSpan s_repetition = TimeSpan.FromSeconds(2);

    private readonly Dictionary<Guid, long> _since = [];
    private long _publishedAt;

    /// <summary>At most 5 users, in the order in which they began.</summary>
    public Guid[] Present => _since.Count == 0 ? [] : [.. _since.Keys.Take(MaxShown)];

    /// <summary>Whether the list is so old that clients are about to end its marks.</summary>
    public bool IsDueAgain => time.GetElapsedTime(_publishedAt) >= s_repetition;

    /// <summary>Notes that the list is sent to the front ends now.</summary>
    public void NotePublished() => _publishedAt = time.GetTimestamp();

    /// <summary>Notes that a user is typing, for 6 seconds from now.</summary>
    /// <returns>Whether the user is new.</returns>
    public bool Add(Guid userId)
    {
        var isNew = !_since.ContainsKey(userId);
        _since[userId] = time.GetTimestamp();
        return isNew;
    }

    /// <summary>The user is not typing any more.</summary>
    /// <returns>Whether the user was.</returns>
    public bool Remove(Guid userId) => _since.Remove(userId);

    /// <summary>Removes the users that stopped 6 seconds ago.</summary>
    /// <returns>Whether there were any.</returns>
    public bool RemoveIdle()
    {
        var idle = _since.Where(entry => time.GetElapsedTime(entry.Value) >= s_lifetime).Select(entry => entry.Key).ToArray();
        foreach (var userId in idle) _since.Remove(userId);
        return idle.Length > 0;
    }
}
