using Pulse.Web.Connections;

namespace Pulse.Web.Presence;

/// <summary>The users that one connection watches, and the requested users that it may not see.</summary>
internal sealed class WatchList
{
    // Also the lock for _hidden and _isOver.
    private readonly HashSet<Guid> _watched = [];
    private readonly HashSet<Guid> _hidden = [];
    private bool _isOver;

    /// <summary>The list of a connection.</summary>
    public static WatchList Of(LiveConnection connection) => connection.Features.Get<WatchList>()!;

    /// <summary>The number of users that this connection would watch together with these.</summary>
    public int CountWatched(Guid[] andThese)
    {
        lock (_watched) return _watched.Count + _hidden.Count + andThese.Distinct().Count(id => !_watched.Contains(id) && !_hidden.Contains(id));
    }

    /// <summary>Records that the connection watches this user.</summary>
    /// <returns><see langword="false"/> if the connection has ended, because the watch would then never be removed.</returns>
    public bool TryWatch(Guid userId)
    {
        lock (_watched)
        {
            if (_isOver) return false;
            _hidden.Remove(userId);
            _watched.Add(userId);
            return true;
        }
    }

    /// <summary>Records that the connection stopped watching this user.</summary>
    /// <returns><see langword="false"/> if it did not watch the user.</returns>
    public bool TryUnwatch(Guid userId)
    {
        lock (_watched)
        {
            _hidden.Remove(userId);
            return _watched.Remove(userId);
        }
    }

    /// <summary>Records the client's request for a user that it may not see now, and ends an existing watch.</summary>
    /// <returns>Whether the connection watched the user.</returns>
    public bool Hide(Guid userId)
    {
        lock (_watched)
        {
            if (!_isOver) _hidden.Add(userId);
            return _watched.Remove(userId);
        }
    }

    /// <summary>The users of the client's requests: those that the connection watches, and those that it may not see.</summary>
    public (Guid[] Watched, Guid[] Hidden) Asked()
    {
        lock (_watched) return ([.. _watched], [.. _hidden]);
    }

    /// <summary>Ends all watches, because the connection has ended.</summary>
    /// <returns>The users that it watched.</returns>
    public Guid[] UnwatchAll()
    {
        lock (_watched)
        {
            _isOver = true;
            Guid[] all = [.. _watched];
            _watched.Clear();
            _hidden.Clear();
            return all;
        }
    }
}
