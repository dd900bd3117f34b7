using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Identity;

namespace Pulse.Web.Tests.Auth;

/// <summary>Registers <see cref="TestSessions"/> as the only grains.</summary>
internal static class TestSessionsExtensions
{
    public static void AddTestSessions(this IServiceCollection services)
    {
        services.AddSingleton<TestSessions>();
        services.AddSingleton(provider => provider.GetRequiredService<TestSessions>().Grains);
    }
}

/// <summary>All users' sessions in memory, behind the grain interface, for tests without a silo.</summary>
public sealed class TestSessions
{
    private readonly HashSet<Guid> _live = [];
    private readonly Dictionary<string, SignInSession> _byHash = [];

    public TestSessions()
    {
        Grains = DispatchProxy.Create<IGrainFactory, Proxy>();
        ((Proxy)(object)Grains).Answer = (_, _) => Sessions();
    }

    public IGrainFactory Grains { get; }

    /// <summary>Whether their database is unavailable.</summary>
    public bool AreAway { get; set; }

    /// <summary>A live session; with a hash, also as a cookie's.</summary>
    public Guid Start(byte[]? tokenHash = null, bool renewed = false)
    {
        var session = new SignInSession
        {
            Id = Guid.NewGuid(), CreatedAt = DateTimeOffset.UtcNow, LastUsedAt = DateTimeOffset.UtcNow, ExpiresAt = DateTimeOffset.UtcNow.AddDays(7), Renewed = renewed,
        };
        _live.Add(session.Id);
        if (tokenHash is not null) _byHash[Convert.ToHexString(tokenHash)] = session;
        return session.Id;
    }

    public void End(Guid sessionId) => _live.Remove(sessionId);

    private IUserSessionsGrain Sessions()
    {
        var grain = DispatchProxy.Create<IUserSessionsGrain, Proxy>();
        ((Proxy)(object)grain).Answer = (method, arguments) => method switch
        {
            _ when AreAway => throw new StoreUnavailableException("the test has taken it away"),
            nameof(IUserSessionsGrain.IsLiveAsync) => Task.FromResult(_live.Contains((Guid)arguments[0]!)),
            nameof(IUserSessionsGrain.AuthenticateAsync) => Task.FromResult(
                _byHash.GetValueOrDefault(Convert.ToHexString((byte[])arguments[0]!)) is { } session && _live.Contains(session.Id) ? session : null),
            _ => throw new NotSupportedException(method),
        };
        return grain;
    }

    public class Proxy : DispatchProxy
    {
        public Func<string, object?[], object?> Answer { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => Answer(targetMethod!.Name, args ?? []);
    }
}
