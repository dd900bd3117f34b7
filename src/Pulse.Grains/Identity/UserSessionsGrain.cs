using Microsoft.Extensions.Options;
using Pulse.Identity;
using Pulse.Users;

namespace Pulse.Grains.Identity;

/// <summary>One user's sessions. Key: the user id. Every check, on whichever node, comes here, so that an ended session is ended everywhere at once.</summary>
/// <remarks>Not reentrant: between two awaits nothing else of this user's sessions happens. The rules are <see cref="UserSessions"/>'s.</remarks>
internal sealed class UserSessionsGrain : Grain, IUserSessionsGrain
{
    private readonly UserSessions _sessions;

    public UserSessionsGrain(ISessionStore store, IOptions<SignInOptions> options, TimeProvider time) =>
        _sessions = new(this.GetPrimaryKey(), store, options.Value, time);

    public Task<SignInSession?> StartAsync(SessionStart start) => _sessions.StartAsync(start);

    public Task<SignInSession?> AuthenticateAsync(byte[] tokenHash, string? address) => _sessions.AuthenticateAsync(tokenHash, address);

    public Task<bool> IsLiveAsync(Guid sessionId) => _sessions.IsLiveAsync(sessionId);

    public Task<SignInSession[]> ListAsync() => _sessions.ListAsync();

    public async Task<bool> EndAsync(Guid sessionId)
    {
        var found = await _sessions.EndAsync(sessionId);
        if (found) await CloseSocketsAsync([sessionId]);
        return found;
    }

    public async Task EndAllAsync()
    {
        var sessions = await _sessions.ListAsync();
        await _sessions.EndAllAsync();
        await CloseSocketsAsync(Array.ConvertAll(sessions, session => session.Id));
    }

    // After the row is gone, so that none of them can come back.
    private Task CloseSocketsAsync(Guid[] sessionIds) =>
        GrainFactory.GetGrain<IUserGrain>(this.GetPrimaryKey()).CloseSessionsAsync(sessionIds);
}
