using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Pulse.Identity;
using Pulse.Users;

namespace Pulse.Grains.Identity;

/// <summary>One user's sessions. Key: the user id. Every check, on whichever node, comes here, so that an ended session is ended everywhere at once.</summary>
/// <remarks>
/// Not reentrant: between two awaits nothing else of this user's sessions happens. The rules are <see cref="UserSessions"/>'s. A session has ended once its
/// row is gone, and whoever ended it is told so even if its sockets could not be closed at once: "try again" would be of no use to a caller whose
/// cookie is refused from now on. It is this grain that goes on trying, for as long as its process lives.
/// </remarks>
[GrainType("usersessions")]
internal sealed partial class UserSessionsGrain : Grain, IUserSessionsGrain, IHubTicketsGrain
{
    // Longer than the user's grain waits for front ends. A silo that has just died answers nothing, and others' checks must not wait for it.
    private static readonly TimeSpan ClosePatience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    // Anybody can make up a cookie for any user id: what it wakes must not stay. Nor go at once: of many calls that come together, Orleans would pass
    // the last ones on too often, and reject them.
    private static readonly TimeSpan EmptyStay = UserSessions.FreshFor;

    private readonly UserSessions _sessions;
    private readonly UsedTickets _tickets;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    // Ended, with sockets that may not have been closed.
    private readonly HashSet<Guid> _unclosed = [];
    private Task _retried = Task.CompletedTask;
    private IGrainTimer? _retry;
    private IGrainTimer? _leave;

    public UserSessionsGrain(ISessionStore store, IOptions<SignInOptions> options, TimeProvider time, ILogger<UserSessionsGrain> logger)
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
        // First, so that a failure leaves nothing half-done: a sign-in mail on its way would let its reader in again.
        if (await GrainFactory.GetGrain<IUserGrain>(this.GetPrimaryKey()).GetProfileAsync() is { Email: { Length: > 0 } email })
            await GrainFactory.GetGrain<ISignInLinksGrain>(email).RemoveAllAsync(email);
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
            // After the rows are gone, so that none of the sockets can come back.
            if (_sessions.TakeEnded() is { Length: > 0 } ended) await CloseSocketsAsync(ended);
            if (_unclosed.Count > 0 || _sessions.IsInDoubt) _retry ??= this.RegisterGrainTimer(RetryAsync, new(RetryInterval, RetryInterval) { KeepAlive = true });
            if (_sessions.IsEmpty) _leave ??= this.RegisterGrainTimer(LeaveIfEmptyAsync, new(EmptyStay, EmptyStay));
        }
    }

    private async Task CloseSocketsAsync(Guid[] ended)
    {
        _unclosed.UnionWith(ended);
        try
        {
            await TellUserAsync(ended).WaitAsync(ClosePatience, _time);
        }
        catch (TimeoutException)
        {
            // What it becomes is seen when it is tried again.
        }
    }

    /// <summary>Until all sockets are known to be closed, and the outcome of every write is known.</summary>
    private async Task RetryAsync()
    {
        await _sessions.ResolveDoubtAsync();
        _unclosed.UnionWith(_sessions.TakeEnded());

        // Not waited for, since checks of sessions would have to wait too; one at a time, for each takes as long as a grain call may.
        if (_unclosed.Count > 0 && _retried.IsCompleted) _retried = TellUserAsync([.. _unclosed]);
        if (_unclosed.Count > 0 || _sessions.IsInDoubt) return;

        _retry?.Dispose();
        _retry = null;
    }

    /// <summary>Never throws. May go on beside other turns: it takes out only what it has told.</summary>
    private async Task TellUserAsync(Guid[] ended)
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

    [LoggerMessage(1310, LogLevel.Debug, "The sockets of ended sessions may still be open ({Reason}); closing them is tried again.")]
    private partial void LogCloseFailed(string reason);
}
