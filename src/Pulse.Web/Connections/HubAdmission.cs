using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using Pulse.Accounts;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Http;

namespace Pulse.Web.Connections;

/// <summary>
/// Limits the rate of new sockets, per user and in total. If all clients of a front end that died reconnect at once, this front end's other
/// work continues. Clients above the rate wait. If the queue is full, and while this front end drains, the answer is 503.
/// </summary>
/// <remarks>
/// Only the beginning of a connection counts: a negotiation, or a WebSocket without one. Requests with an id belong to an admitted
/// connection: polls, messages sent beside them, the WebSocket after a negotiation. SignalR answers 404 to an unknown id.
/// </remarks>
internal sealed class HubAdmission : IDisposable
{
    // Clients stop waiting for an answer after some seconds, so a longer queue would be useless.
    private const int QueuedSeconds = 5;
    private const int PeriodsPerSecond = 20;

    private readonly TokenBucketRateLimiter _limiter;
    private readonly PartitionedRateLimiter<string> _perUser;
    private readonly Drain _drain;
    private readonly Callers _callers;

    public HubAdmission(IOptions<HubConnectionOptions> options, Drain drain, Callers callers)
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

    /// <summary>Middleware before the costly part of a connect: refuses new connections while this front end drains.</summary>
    public Task RefuseAsync(HttpContext context, RequestDelegate next) =>
        _drain.IsClosed && HubEndpoint.BeginsConnection(context.Request) ? ProblemTypes.Unavailable.WriteAsync(context, Drain.StoppingMessage) : next(context);

    /// <summary>Middleware after authentication, so that callers without a token cannot use up the capacity of others.</summary>
    public Task AdmitAsync(HttpContext context, RequestDelegate next)
    {
        if (!HubEndpoint.BeginsConnection(context.Request)) return next(context);

        // Checked before the shared limit, because one user must not use it up.
        using (var ofUser = _perUser.AttemptAcquire(KeyOf(context)))
        {
            if (!ofUser.IsAcquired)
            {
                context.Audit(AuditEvents.RateLimited, reason: "connects");
                context.Response.Headers.RetryAfter = "1";
                return ProblemTypes.TooManyRequests.WriteAsync(context, "This user opens too many connections. Try again in a second.");
            }
        }

        // Avoids an async state machine per socket, because next runs for the lifetime of the socket. Only a waiting request needs one.
        using var lease = _limiter.AttemptAcquire();
        return lease.IsAcquired ? next(context) : WaitAsync(context, next);
    }

    public void Dispose()
    {
        _limiter.Dispose();
        _perUser.Dispose();
    }

    // The hub refuses a caller without a user. Until then the caller is counted by its token's subject.
    private string KeyOf(HttpContext context) => _callers.TryRead(context.User) is not { } caller ? ""
        : caller.OwnUserId?.ToString() ?? new AccountKey(caller.Issuer, caller.Subject).ToString();

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
