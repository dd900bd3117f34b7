using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Pulse.Identity;
using Pulse.Users;

namespace Pulse.Grains.Identity;

/// <summary>
/// One user's sessions. Key: the user id. All front ends check sessions at this grain, so that an ended session is ended everywhere at
/// once.
/// </summary>
/// <remarks>
/// Calls about a user's sessions are queued across the grain's awaits, because the grain lacks reentrancy. <see cref="UserSessions"/> has
/// the rules. A session has ended once its row is deleted. The caller then gets success even if its sockets could not be closed at once,
/// because a retry would be useless to a caller whose cookie is refused from now on. The grain itself retries the closing for as long as
/// its process lives.
/// </remarks>
[GrainType("usersessions")]
internal sealed partial class UserSessionsGrain : Grain, IUserSessionsGrain, IHubTicketsGrain
{
    // The user's grain waits for front ends for a shorter time than this. A silo that has just died stays silent, and this bound limits how
    // long other session checks wait for it.
    private static readonly TimeSpan s_closeTimeout = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_retryInterval = TimeSpan.FromSeconds(1);

    // Any client can send a cookie with any user id, so an empty grain is deactivated soon. A short delay is needed: of many simultaneous
    // calls Orleans would otherwise forward the last ones too often, and reject them.
    private static readonly TimeSpan s_emptyStay = UserSessions.FreshFor;

    private readonly UserSessions _sessions;
    private readonly UsedTickets _tickets;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    // Ended sessions whose sockets may still be open.
    private readonly HashSet<Guid> _unclosed = [];
    private Task _retried = Task.CompletedTask;
    private IGrainTimer? _retry;
    private IGrainTimer? _leave;

    public UserSessionsGrain(ISessionStore store, IOptions<SignInSessionOptions> options, TimeProvider time, ILogger<UserSessionsGrain> logger)
    {
        _sessions = new(this.GetPrimaryKey(), store, options.Value, time);
        _tickets = new(time);
        (_time, _logger) = (time, logger);
    }

    public Task<SignInSession?> StartAsync(SessionStart start) => DoAsync(() => _sessions.StartAsync(start));

    public Task<SignInSession?> AuthenticateAsync(byte[] tokenHash, string? address) => DoAsync(() => _sessions.AuthenticateAsync(tokenHash, address));

    public Task<bool> IsLiveAsync(Guid sessionId) => DoAsync(() => _sessions.IsLiveAsync(sessionId));

    public Task<SignInSession[]> ListAsync() => DoAsync(_sessions.ListAsync);

    public Task<bool> EndAsync(Guid sessionId) => DoAsync(() => _sessions.EndAsync(sessionId));

    public Task EndAllAsync() => DoAsync(async () =>
    {
        // Links are removed first, so that a failure leaves the sessions intact. Otherwise an unread sign-in mail would let its reader in
        // again.
        if (await GrainFactory.GetGrain<IUserGrain>(this.GetPrimaryKey()).GetProfileAsync() is { Email: { Length: > 0 } email })
            await GrainFactory.GetGrain<ISignInLinksGrain>(Mailbox.Of(email)).RemoveAllAsync(email);
        await _sessions.EndAllAsync();
        return true;
    });

    public Task EndOfAccountAsync(string account, Guid? except) => DoAsync(async () =>
    {
        await _sessions.EndOfAccountAsync(account, except);
        return true;
    });

    public Task<bool> UseAsync(Guid ticketId, DateTimeOffset expiresAt) => DoAsync(() => Task.FromResult(_tickets.TryUse(ticketId, expiresAt)));

    private async Task<T> DoAsync<T>(Func<Task<T>> work)
    {
        try
        {
            return await work();
        }
        finally
        {
            // Closed after the rows are deleted, so that the clients cannot reconnect.
            if (_sessions.TakeEnded() is { Length: > 0 } ended) await CloseSocketsAsync(ended);
            if (_unclosed.Count > 0 || _sessions.IsInDoubt) _retry ??= this.RegisterGrainTimer(RetryAsync, new(s_retryInterval, s_retryInterval) { KeepAlive = true });
            if (_sessions.IsEmpty) _leave ??= this.RegisterGrainTimer(LeaveIfEmptyAsync, new(s_emptyStay, s_emptyStay));
        }
    }

    private async Task CloseSocketsAsync(Guid[] ended)
    {
        _unclosed.UnionWith(ended);
        try
        {
            await RevokeConnectionsAsync(ended).WaitAsync(s_closeTimeout, _time);
        }
        catch (TimeoutException)
        {
            // The retry timer learns the outcome.
        }
    }

    /// <summary>Runs until all sockets are known to be closed and the outcome of every write is known.</summary>
    private async Task RetryAsync()
    {
        await _sessions.ResolveDoubtAsync();
        _unclosed.UnionWith(_sessions.TakeEnded());

        // Fire and forget, because session checks would wait too. Only one runs at a time, because each may take the full timeout of a
        // grain call.
        if (_unclosed.Count > 0 && _retried.IsCompleted) _retried = RevokeConnectionsAsync([.. _unclosed]);
        if (_unclosed.Count > 0 || _sessions.IsInDoubt) return;

        _retry?.Dispose();
        _retry = null;
    }

    /// <summary>
    /// Never throws. May run in parallel with other turns, because it removes only the sessions of which it has notified the user's grain.
    /// </summary>
    private async Task RevokeConnectionsAsync(Guid[] ended)
    {
        try
        {
            await GrainFactory.GetGrain<IUserGrain>(this.GetPrimaryKey()).CloseSessionsAsync(ended);
            _unclosed.ExceptWith(ended);
        }
        catch (Exception e)
        {
            LogCloseFailed(e.GetType().Name);
        }
    }

    private Task LeaveIfEmptyAsync()
    {
        if (_retry is not null || !_tickets.IsEmpty) return Task.CompletedTask;
        if (_sessions.IsEmpty) DeactivateOnIdle();
        _leave?.Dispose();
        _leave = null;
        return Task.CompletedTask;
    }

    [LoggerMessage(1310, LogLevel.Debug, "The sockets of ended sessions may still be open ({Reason}). Closing them is retried.")]
    private partial void LogCloseFailed(string reason);
}
