using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Pulse.Grains.Conversations;

/// <summary>
/// The places for searches on this silo. A search can take a second of a connection. The bound leaves connections to the
/// sends, because a few users that type would take them all.
/// </summary>
/// <param name="count">The most searches at a time.</param>
[SuppressMessage("Design", "CA1001", Justification = "A SemaphoreSlim whose wait handle is not used holds nothing to dispose.")]
internal sealed class SearchPlaces(int count)
{
    /// <summary>The most searches of one user at a time. The user's further searches wait, and the places are left to other users.</summary>
    private const int OfOneUser = 2;

    private readonly SemaphoreSlim _free = new(Math.Max(1, count));
    private readonly Dictionary<Guid, (SemaphoreSlim Free, int Callers)> _users = [];

    /// <summary>Runs a search when there is a place for it. The wait counts within the time of the search.</summary>
    /// <exception cref="StoreUnavailableException">No place became free in that time.</exception>
    public async Task<T> RunAsync<T>(Guid userId, Func<SearchDeadline, Task<T>> search, CancellationToken cancellationToken)
    {
        var deadline = SearchDeadline.Start();
        var own = Enter(userId);
        try
        {
            await WaitAsync(own);
            try
            {
                await WaitAsync(_free);
                try
                {
                    return await search(deadline);
                }
                finally
                {
                    _free.Release();
                }
            }
            finally
            {
                own.Release();
            }
        }
        finally
        {
            Leave(userId);
        }

        async Task WaitAsync(SemaphoreSlim free)
        {
            if (!await free.WaitAsync(deadline.Left, cancellationToken)) throw new StoreUnavailableException("other searches took all the time of this one");
        }
    }

    private SemaphoreSlim Enter(Guid userId)
    {
        lock (_users)
        {
            var (free, callers) = _users.TryGetValue(userId, out var user) ? user : (new(OfOneUser), 0);
            _users[userId] = (free, callers + 1);
            return free;
        }
    }

    private void Leave(Guid userId)
    {
        lock (_users)
        {
            var (free, callers) = _users[userId];
            if (callers == 1) _users.Remove(userId);
            else _users[userId] = (free, callers - 1);
        }
    }
}

/// <summary>The end of the time that a search has.</summary>
internal readonly struct SearchDeadline
{
    private static readonly TimeSpan s_time = TimeSpan.FromSeconds(1);

    private readonly long _started;

    private SearchDeadline(long started) => _started = started;

    /// <summary>The time that is left; zero after the deadline.</summary>
    public TimeSpan Left => s_time - Stopwatch.GetElapsedTime(_started) is var left && left > TimeSpan.Zero ? left : TimeSpan.Zero;

    /// <summary>The error of a search that has read nothing in its time.</summary>
    public static StoreUnavailableException Missed() => new("the search took longer than a second: a longer word, or a search in one conversation, takes less");

    /// <summary>Begins the time of a search.</summary>
    public static SearchDeadline Start() => new(Stopwatch.GetTimestamp());
}
