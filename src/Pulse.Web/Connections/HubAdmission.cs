using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using Pulse.Accounts;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Http;

namespace Pulse.Web.Connections;

/// <summary>
/// Bounds how fast sockets are taken on, of each user and of all: when all clients of a front end that died come back at once, the rest of this one's work goes on. Who
/// exceeds the rate waits; past the queue, and while this front end is leaving, the answer is 503.
/// </summary>
/// <remarks>
/// Only what begins a connection counts: negotiation, or a WebSocket without. Requests with an id are of a connection that was admitted: polls, what is sent
/// beside them, the WebSocket after a negotiation. SignalR answers 404 to an id that it did not give.
/// </remarks>
internal sealed class HubAdmission : IDisposable
{
    // Clients give up on an answer after some seconds; a place in a longer queue would be for nobody.
    private const int QueuedSeconds = 5;
    private const int PeriodsPerSecond = 20;

    private readonly TokenBucketRateLimiter _limiter;
    private readonly PartitionedRateLimiter<string> _perUser;
    private readonly Drain _drain;
    private readonly Callers _callers;

    public HubAdmission(IOptions<HeartbeatOptions> options, Drain drain, Callers callers)
    {
        _drain = drain;
        _callers = callers;
        var (perSecondOfUser, atOnceOfUser) = (options.Value.ConnectsPerSecondPerUser, options.Value.ConnectsAtOncePerUser);
        _perUser = PartitionedRateLimiter.Create<string, string>(user => RateLimitPartition.GetTokenBucketLimiter(user, _ => new()
        {
            TokenLimit = atOnceOfUser,
            TokensPerPeriod = perSecondOfUser,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
        }));
        var perSecond = options.Value.ConnectsPerSecond;
        _limiter = new(new()
        {
            TokenLimit = perSecond,
            TokensPerPeriod = Math.Max(1, perSecond / PeriodsPerSecond),
            ReplenishmentPeriod = TimeSpan.FromSeconds(Math.Max(1, perSecond / PeriodsPerSecond) / (double)perSecond),
            QueueLimit = perSecond * QueuedSeconds,
            QueueProcessingOrder = QueueProcessingOrder.OldestFirst,
        });
    }

    /// <summary>For the pipeline, before what a connect costs: sends everybody away who comes while this front end leaves.</summary>
    public Task RefuseAsync(HttpContext context, RequestDelegate next) =>
        _drain.IsClosed && BeginsConnection(context.Request) ? ProblemTypes.Unavailable.WriteAsync(context, Drain.Why) : next(context);

    /// <summary>For the pipeline, after authentication: who has no token must not use up the places of those who have.</summary>
    public Task AdmitAsync(HttpContext context, RequestDelegate next)
    {
        if (!BeginsConnection(context.Request)) return next(context);

        // Before the places that users share: one user must not use them up.
        using (var ofUser = _perUser.AttemptAcquire(KeyOf(context)))
        {
            if (!ofUser.IsAcquired)
            {
                context.Audit(AuditEvents.RateLimited, reason: "connects");
                context.Response.Headers.RetryAfter = "1";
                return ProblemTypes.TooManyRequests.WriteAsync(context, "This user opens too many connections. Try again in a second.");
            }
        }

        // No state of ours for as long as the socket lives unless it had to wait.
        using var lease = _limiter.AttemptAcquire();
        return lease.IsAcquired ? next(context) : WaitAsync(context, next);
    }

    public void Dispose()
    {
        _limiter.Dispose();
        _perUser.Dispose();
    }

    // The hub refuses a caller without a user. Until then it counts by its token's subject.
    private string KeyOf(HttpContext context) => _callers.TryRead(context.User) is not { } caller ? ""
        : caller.OwnUserId?.ToString() ?? new AccountKey(caller.Issuer, caller.Subject).ToString();

    // As SignalR reads it: an empty id is none. It needs the query too, so that nothing is parsed for this alone.
    private static bool BeginsConnection(HttpRequest request) =>
        request.Path.StartsWithSegments(HubEndpoint.Path) && string.IsNullOrEmpty(request.Query["id"]);

    private async Task WaitAsync(HttpContext context, RequestDelegate next)
    {
        using (var lease = await _limiter.AcquireAsync(cancellationToken: context.RequestAborted))
        {
            if (!lease.IsAcquired)
            {
                await ProblemTypes.Unavailable.WriteAsync(context, "Too many clients connect at once.");
                return;
            }
        }

        await RefuseAsync(context, next);
    }
}
