using Pulse.Web.Connections;

namespace Pulse.Web.Presence;

/// <summary>The users that one connection watches, and those that it asked for and may not see.</summary>
internal sealed class WatchList
{
    // Guards itself, _hidden and _isOver.
    private readonly HashSet<Guid> _watched = [];
    private readonly HashSet<Guid> _hidden = [];
    private bool _isOver;

    /// <summary>The connection's.</summary>
    public static WatchList Of(LiveConnection connection) => connection.Features.Get<WatchList>()!;

    /// <summary>How many users this connection would watch if it watched these too.</summary>
    public int CountWatched(Guid[] andThese)
    {
        lock (_watched) return _watched.Count + _hidden.Count + andThese.Distinct().Count(id => !_watched.Contains(id) && !_hidden.Contains(id));
    }

    /// <summary>Notes that the connection watches this user.</summary>
    /// <returns><see langword="false"/> when the connection is over: nobody would end that watch.</returns>
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

    /// <summary>Notes that it does not any more.</summary>
    /// <returns><see langword="false"/> when it did not.</returns>
    public bool TryUnwatch(Guid userId)
    {
        lock (_watched)
        {
            _hidden.Remove(userId);
            return _watched.Remove(userId);
        }
    }

    /// <summary>Notes that the client asked for a user whom it may not see now; ends the watch that there is, if any.</summary>
    /// <returns>Whether the connection watched the user.</returns>
    public bool Hide(Guid userId)
    {
        lock (_watched)
        {
            if (!_isOver) _hidden.Add(userId);
            return _watched.Remove(userId);
        }
    }

    /// <summary>The users that the client asked for: those that the connection watches, and those whom it may not see.</summary>
    public (Guid[] Watched, Guid[] Hidden) Asked()
    {
        lock (_watched) return ([.. _watched], [.. _hidden]);
    }

    /// <summary>The connection is over: it watches nobody from now on.</summary>
    /// <returns>Whom it watched.</returns>
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
