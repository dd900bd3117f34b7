using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using Pulse.Conversations;
using Pulse.Web.Http;

namespace Pulse.Web.Conversations;

/// <summary>Limits how much one user may change and search on this front end. The conversation's grain limits besides what one sender does in one conversation.</summary>
internal sealed class ChatLimits(IOptions<ChatOptions> options) : IDisposable
{
    /// <summary>Messages, edits, deletions and reactions of one user per second, in all conversations.</summary>
    public const int SendsPerSecond = 20;

    /// <summary>Searches in messages and for channels that one user may make in <see cref="s_searchPeriod"/>, and at once after a pause.</summary>
    public const int Searches = 20;

    /// <summary>Read markers of one user per second: enough to mark all conversations of an inbox page on several devices.</summary>
    public const int ReadsPerSecond = 200;

    private static readonly TimeSpan s_searchPeriod = TimeSpan.FromSeconds(10);

    private readonly PartitionedRateLimiter<Guid> _searches = Create(Searches, s_searchPeriod);
    private readonly PartitionedRateLimiter<Guid> _sends = Create(SendsPerSecond, TimeSpan.FromSeconds(1));
    private readonly PartitionedRateLimiter<Guid> _reads = Create(ReadsPerSecond, TimeSpan.FromSeconds(1));
    private readonly PartitionedRateLimiter<Guid> _starts = Create(options.Value.StartsPerMinute, TimeSpan.FromMinutes(1));
    private readonly PartitionedRateLimiter<Guid> _adds = Create(options.Value.AddsPerMinute, TimeSpan.FromMinutes(1));

    /// <summary>Counts a message, an edit, a deletion or a reaction.</summary>
    /// <exception cref="ChatRefusedException">The user has to wait.</exception>
    public void CountSend(Guid userId) => Spend(_sends, userId, 1, $"A user may send {SendsPerSecond} times a second.");

    /// <summary>Counts a read marker.</summary>
    /// <exception cref="ChatRefusedException">The user has to wait.</exception>
    public void CountRead(Guid userId) => Spend(_reads, userId, 1, $"A user may move read markers {ReadsPerSecond} times a second.");

    /// <summary>Counts a new conversation.</summary>
    /// <exception cref="ChatRefusedException">The user has to wait.</exception>
    public void CountStart(Guid userId) => Spend(_starts, userId, 1, $"A user may create {options.Value.StartsPerMinute} conversations a minute.");

    /// <summary>Counts added members, changes of roles, title and rules, and repeated creations.</summary>
    /// <exception cref="ChatRefusedException">The user has to wait.</exception>
    public void CountAdds(Guid userId, int count)
    {
        if (count > 0) Spend(_adds, userId, count, $"A user may add members and change conversations {options.Value.AddsPerMinute} times a minute.");
    }

    /// <summary>Counts a search.</summary>
    /// <exception cref="ChatRefusedException">The user has to wait.</exception>
    public void CountSearch(Guid userId)
    {
        using var lease = _searches.AttemptAcquire(userId);
        if (lease.IsAcquired) return;
        var wait = WaitOf(lease);
        throw new ChatRefusedException(
            ProblemTypes.TooManyRequests, $"A user may search {Searches} times in {s_searchPeriod.TotalSeconds} s. Repeat the request in {wait} s.", wait);
    }

    public void Dispose()
    {
        _searches.Dispose();
        _sends.Dispose();
        _reads.Dispose();
        _starts.Dispose();
        _adds.Dispose();
    }

    // The limiter itself disposes partitions that are full and idle. It adds whole tokens, so the time of some of them is given, not a tenth of
    // the period.
    private static PartitionedRateLimiter<Guid> Create(int count, TimeSpan period) => PartitionedRateLimiter.Create<Guid, Guid>(userId =>
    {
        var tokens = (count + 9) / 10;
        return RateLimitPartition.GetTokenBucketLimiter(userId, _ => new() { TokenLimit = count, TokensPerPeriod = tokens, ReplenishmentPeriod = period * tokens / count });
    });

    private static void Spend(PartitionedRateLimiter<Guid> limiter, Guid userId, int count, string rule)
    {
        using var lease = limiter.AttemptAcquire(userId, count);
        if (lease.IsAcquired) return;
        var wait = WaitOf(lease);
        throw new ChatRefusedException(ProblemTypes.TooManyMessages, $"{rule} Nothing was written. Repeat the request in {wait} s.", wait);
    }

    private static int WaitOf(RateLimitLease lease) =>
        lease.TryGetMetadata(MetadataName.RetryAfter, out var time) ? Math.Max(1, (int)Math.Ceiling(time.TotalSeconds)) : 1;
}
