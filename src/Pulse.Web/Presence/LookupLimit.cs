using System.Globalization;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http.HttpResults;
using Pulse.Accounts;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Http;

namespace Pulse.Web.Presence;

/// <summary>Limits how many user ids one user may look up on this front end. REST requests and hub calls are counted together.</summary>
/// <remarks>
/// Each looked-up id can cost a Redis key, a database row and a grain call. The limiter itself disposes partitions that are full and idle.
/// </remarks>
internal sealed class LookupLimit : IDisposable
{
    /// <summary>Ids that one user may look up per second in the long run.</summary>
    public const int PerSecond = 2_000;

    /// <summary>Ids that a user may look up in a burst after a pause.</summary>
    public const int AtOnce = 10_000;

    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(50);

    private readonly PartitionedRateLimiter<string> _limiter = PartitionedRateLimiter.Create<string, string>(
        user => RateLimitPartition.GetTokenBucketLimiter(user, _ => new()
        {
            TokenLimit = AtOnce,
            TokensPerPeriod = (int)(PerSecond * s_period.TotalSeconds),
            ReplenishmentPeriod = s_period,
        }));

    /// <summary>Counts a user's lookups.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="count">Number of ids, at most <see cref="AtOnce"/>.</param>
    /// <returns>0. If the ids exceed the limit, they are not counted, and the result is the number of seconds until a retry can
    /// succeed.</returns>
    public int Spend(Guid userId, int count) => Spend(userId.ToString(), count);

    /// <summary>As <see cref="Spend(Guid, int)"/>. A trusted issuer's caller is counted by its account, with or without a user.</summary>
    public int Spend(Caller caller, int count) =>
        caller.OwnUserId is { } userId ? Spend(userId, count) : Spend(new AccountKey(caller.Issuer, caller.Subject).ToString(), count);

    private int Spend(string caller, int count)
    {
        using var lease = _limiter.AttemptAcquire(caller, count);
        if (lease.IsAcquired) return 0;
        return lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)) : 1;
    }

    /// <summary>The answer to a request above the limit.</summary>
    /// <param name="context">The request.</param>
    /// <param name="retryAfter">The result of <see cref="Spend(Guid, int)"/>.</param>
    public static ProblemHttpResult Refuse(HttpContext context, int retryAfter)
    {
        context.Audit(AuditEvents.RateLimited, reason: "lookups");
        context.Response.Headers.RetryAfter = retryAfter.ToString(CultureInfo.InvariantCulture);
        return ProblemTypes.TooManyLookups.ToResult(Explain(retryAfter));
    }

    /// <summary>The text for a refused caller.</summary>
    public static string Explain(int retryAfter) => string.Create(
        CultureInfo.InvariantCulture, $"A user may look up {PerSecond} user ids a second. Nothing of this request was done. Repeat it in {retryAfter} s.");

    public void Dispose() => _limiter.Dispose();
}
