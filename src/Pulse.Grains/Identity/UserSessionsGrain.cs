using Microsoft.Extensions.Options;
using Pulse.Identity;
using Pulse.Users;

namespace Pulse.Grains.Identity;

/// <summary>One user's sessions. Key: the user id. Every check, on whichever node, comes here, so that an ended session is ended everywhere at once.</summary>
/// <remarks>Not reentrant: between two awaits nothing else of this user's sessions happens. The rules are <see cref="UserSessions"/>'s.</remarks>
internal sealed class UserSessionsGrain : Grain, IUserSessionsGrain
{
    private readonly UserSessions _sessions;

    // Ended, with sockets that may not have been closed: a repeated call no longer finds the session, and closes them all the same.
    private readonly HashSet<Guid> _unclosed = [];

    public UserSessionsGrain(ISessionStore store, IOptions<SignInOptions> options, TimeProvider time) =>
        _sessions = new(this.GetPrimaryKey(), store, options.Value, time);

    public Task<SignInSession?> StartAsync(SessionStart start) => _sessions.StartAsync(start);

    public Task<SignInSession?> AuthenticateAsync(byte[] tokenHash, string? address) => _sessions.AuthenticateAsync(tokenHash, address);

    public Task<bool> IsLiveAsync(Guid sessionId) => _sessions.IsLiveAsync(sessionId);

    public Task<SignInSession[]> ListAsync() => _sessions.ListAsync();

    public async Task<bool> EndAsync(Guid sessionId)
    {
        var found = await _sessions.EndAsync(sessionId);
        if (found) _unclosed.Add(sessionId);
        await CloseSocketsAsync();
        return found;
    }

    public async Task EndAllAsync()
    {
        var sessions = await _sessions.ListAsync();
        await _sessions.EndAllAsync();
        _unclosed.UnionWith(sessions.Select(session => session.Id));
        await CloseSocketsAsync();
    }

    // After the rows are gone, so that none of them can come back.
    private async Task CloseSocketsAsync()
    {
        if (_unclosed.Count == 0) return;
        await GrainFactory.GetGrain<IUserGrain>(this.GetPrimaryKey()).CloseSessionsAsync([.. _unclosed]);
        _unclosed.Clear();
    }
}
