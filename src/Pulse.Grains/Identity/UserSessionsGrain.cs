using Microsoft.Extensions.Options;
using Pulse.Identity;

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

    public Task<bool> EndAsync(Guid sessionId) => _sessions.EndAsync(sessionId);

    public Task EndAllAsync() => _sessions.EndAllAsync();
}
