using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Pulse.Grains.Identity;
using Pulse.Identity;
using Pulse.Presence;
using Pulse.Silo;
using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

/// <summary>The sockets of an ended session are closed, whatever fails on the way.</summary>
public sealed class SessionEndTests(SessionEndTests.TroubledCluster cluster) : IClassFixture<SessionEndTests.TroubledCluster>
{
    private readonly Guid _id = Guid.CreateVersion7();

    private IUserSessionsGrain Sessions => cluster.Client.GetGrain<IUserSessionsGrain>(_id);

    private IUserGrain User => cluster.Client.GetGrain<IUserGrain>(_id);

    [Fact]
    public async Task End_WhileTheUsersGrainFails_Succeeds_AndClosesTheSocketsLater()
    {
        var session = await StartWithSocketAsync();
        cluster.Trouble[_id] = () => throw new TimeoutException("the test has the user's grain fail");

        Assert.True(await Sessions.EndAsync(session.Id));
        Assert.False(await Sessions.IsLiveAsync(session.Id));
        Assert.Empty(cluster.Told.ClosedOf(_id));

        cluster.Trouble.TryRemove(_id, out _);
        await AssertClosedAsync(session);
    }

    [Fact]
    public async Task EndAll_WhileTheUsersGrainDoesNotAnswer_ReturnsAtOnce_AndClosesTheSocketsLater()
    {
        var session = await StartWithSocketAsync();
        var silence = new TaskCompletionSource();
        cluster.Trouble[_id] = () => silence.Task;

        var started = Stopwatch.GetTimestamp();
        await Sessions.EndAllAsync();
        Assert.False(await Sessions.IsLiveAsync(session.Id));
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, PulseSilo.ResponseTimeout - TimeSpan.FromSeconds(1));

        cluster.Trouble.TryRemove(_id, out _);
        silence.SetException(new TimeoutException("as Orleans would say"));
        await AssertClosedAsync(session);
    }

    [Fact]
    public async Task End_AnswerLost_ClosesTheSocketsOnceTheRowIsFoundDeleted()
    {
        var session = await StartWithSocketAsync();
        cluster.LostAnswers[_id] = true;
        await Assert.ThrowsAsync<StoreUnavailableException>(() => Sessions.EndAsync(session.Id));

        await AssertClosedAsync(session);
        Assert.False(await Sessions.IsLiveAsync(session.Id));
    }

    [Fact]
    public async Task Start_TheFiftyFirst_ClosesTheSocketsOfTheEvictedSession()
    {
        var session = await StartWithSocketAsync();
        for (var i = 0; i < UserSessions.MaxLive; i++) await Sessions.StartAsync(new() { TokenHash = RandomNumberGenerator.GetBytes(32) });

        await cluster.Told.ClosesAsync(_id, 1);
        Assert.Equal([($"{_id:N}-{session.Id}", CloseReason.SignedOut)], cluster.Told.ClosedOf(_id));
    }

    private async Task<SignInSession> StartWithSocketAsync()
    {
        await User.SyncProfileAsync(new() { Email = $"{_id:N}@ends.test", Name = "Ada" });
        var session = (await Sessions.StartAsync(new() { TokenHash = RandomNumberGenerator.GetBytes(32) }))!;
        var now = TimeProvider.System.GetUtcNow();
        await User.ConnectAsync(
            new() { ConnectionId = $"{_id:N}-{session.Id}", FrontEndId = "front-end", SessionId = session.Id, SeenAt = now, ActiveAt = now }, cluster.FrontEnd);
        return session;
    }

    private Task AssertClosedAsync(SignInSession session) =>
        Eventually.AsyncEqual(($"{_id:N}-{session.Id}", CloseReason.SignedOut), () => Task.FromResult(cluster.Told.ClosedOf(_id).FirstOrDefault()));

    /// <summary>Some users' grains fail to close sessions, and the answer to the deletion of some users' rows is lost.</summary>
    public sealed class TroubledCluster : PulseCluster, IIncomingGrainCallFilter
    {
        /// <summary>The replacement behaviour of each user's grain.</summary>
        internal ConcurrentDictionary<Guid, Func<Task>> Trouble { get; } = new();

        internal ConcurrentDictionary<Guid, bool> LostAnswers { get; } = new();

        public Task Invoke(IIncomingGrainCallContext context) =>
            context.InterfaceMethod.Name == nameof(IUserGrain.CloseSessionsAsync) && Trouble.TryGetValue(context.TargetId.GetGuidKey(), out var trouble)
                ? trouble()
                : context.Invoke();

        private protected override void Adjust(IHostApplicationBuilder host)
        {
            host.Configuration["Pulse:Presence:TimeToLive"] = PatientCluster.PatientTimeToLive.ToString();
            host.Services.AddSingleton<IIncomingGrainCallFilter>(this);
            host.Services.AddSingleton<PostgresSessionStore>();
            host.Services.AddSingleton<ISessionStore>(services => new LosingStore(services.GetRequiredService<PostgresSessionStore>(), this));
        }
    }

    private sealed class LosingStore(PostgresSessionStore store, TroubledCluster cluster) : ISessionStore
    {
        public Task<IReadOnlyList<SessionRow>> ListAsync(Guid userId, CancellationToken cancellationToken) => store.ListAsync(userId, cancellationToken);

        public Task<bool> InsertAsync(SessionRow session, IReadOnlyCollection<Guid> ended, CancellationToken cancellationToken) =>
            store.InsertAsync(session, ended, cancellationToken);

        public Task<bool> SlideAsync(SessionRow session, CancellationToken cancellationToken) => store.SlideAsync(session, cancellationToken);

        public async Task<bool> DeleteAsync(Guid userId, Guid sessionId, CancellationToken cancellationToken)
        {
            var found = await store.DeleteAsync(userId, sessionId, cancellationToken);
            return cluster.LostAnswers.ContainsKey(userId) ? throw new StoreUnavailableException("the test has lost the answer") : found;
        }

        public Task DeleteAllAsync(Guid userId, CancellationToken cancellationToken) => store.DeleteAllAsync(userId, cancellationToken);

        public Task DeleteExpiredAsync(Guid userId, DateTimeOffset now, CancellationToken cancellationToken) =>
            store.DeleteExpiredAsync(userId, now, cancellationToken);

        public Task<int> SweepAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken) => store.SweepAsync(now, limit, cancellationToken);
    }
}
