using System.Data.Common;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Grains.Accounts;
using Pulse.Grains.Identity;
using Pulse.Grains.Storage;
using Pulse.Grains.Tests.Users;
using Pulse.Grains.Users;
using Xunit;

namespace Pulse.Grains.Tests.Storage;

/// <summary>The answers to callers, and their delay, while PostgreSQL is unavailable, and the recovery afterwards.</summary>
[Collection(TimedTests.Name)]
public sealed class PostgresOutageTests(TimedPostgresStores stores) : IClassFixture<TimedPostgresStores>
{
    // The stores give up after 1.6 s. The rest is for a busy machine. The driver by itself takes 15 s and more.
    private static readonly TimeSpan s_answer = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task PortClosed_EveryMethodThrowsUnavailable()
    {
        using var services = stores.StartProcess(stores.OptionsVia(LowPort.Find()));

        await AssertUnavailableAsync(services);
        await AssertUnavailableAsync(() => services.ApplyPulseSchemaAsync());
    }

    [Fact]
    public async Task ServerNeverAnswers_EveryMethodThrowsUnavailable()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var services = stores.StartProcess(stores.OptionsVia(((IPEndPoint)silent.LocalEndpoint).Port));

        await AssertUnavailableAsync(services);
    }

    [Fact]
    public async Task CutOffInUse_ThrowsUnavailableThenRecovers()
    {
        await using var proxy = new BrokenProxy(PostgresStores.Server);
        using var services = stores.StartProcess(stores.OptionsVia(proxy.Port));
        var users = services.GetRequiredService<IUserStore>();
        await WarmUpAsync(users);

        proxy.Cut();
        await AssertUnavailableAsync(services);

        proxy.Restore();
        Assert.Equal(UserWrite.Saved, await users.InsertAsync(TestUsers.New(), account: null));
    }

    [Fact]
    public async Task SilentInUse_ThrowsUnavailableThenRecovers()
    {
        await using var proxy = new BrokenProxy(PostgresStores.Server);
        using var services = stores.StartProcess(stores.OptionsVia(proxy.Port));
        var users = services.GetRequiredService<IUserStore>();
        await WarmUpAsync(users);

        proxy.Silence();
        await AssertUnavailableAsync(services);

        proxy.Restore();
        Assert.Equal(UserWrite.Saved, await users.InsertAsync(TestUsers.New(), account: null));
    }

    [Fact]
    public Task SilentWithManyCallsInFlight_LeavesTheThreadPoolFree() => Runs.OneOfThreePassesAsync(async () =>
    {
        await using var proxy = new BrokenProxy(PostgresStores.Server);
        using var services = stores.StartProcess(stores.OptionsVia(proxy.Port));
        var users = services.GetRequiredService<IUserStore>();
        await WarmUpAsync(users);

        proxy.Silence();
        await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => AssertUnavailableAsync(() => users.FindAsync(Guid.NewGuid()))));

        // The calls are answered, but the driver still tries to cancel their statements. Other work must not have to wait for that.
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => Task.Run(() => Task.CompletedTask)));
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(1.5));

        proxy.Restore();
        Assert.Equal(UserWrite.Saved, await users.InsertAsync(TestUsers.New(), account: null));
    });

    [Fact]
    public async Task SilentInUse_ReadsFailAtOnce_AndSucceedSoonAfterRecovery()
    {
        await using var proxy = new BrokenProxy(PostgresStores.Server);
        using var services = stores.StartProcess(stores.OptionsVia(proxy.Port));
        var users = services.GetRequiredService<IUserStore>();
        var sessions = services.GetRequiredService<ISessionStore>();
        await WarmUpAsync(users);

        proxy.Silence();
        await AssertUnavailableAsync(() => users.FindAsync(Guid.NewGuid()));

        // A single read would take 1.6 s, and a grain's turns run one after the other: more than a minute together.
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < 20; i++)
        {
            await AssertUnavailableAsync(() => users.FindAsync(Guid.NewGuid()));
            await AssertUnavailableAsync(() => sessions.ListAsync(Guid.NewGuid()));
        }

        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(10));

        // A write always tries the database itself.
        await AssertUnavailableAsync(() => users.SaveAsync([new(Guid.NewGuid(), TestUsers.Noon)]));

        proxy.Restore();
        await Eventually.AsyncEqual(true, async () =>
        {
            try
            {
                return await users.FindAsync(Guid.NewGuid()) is null;
            }
            catch (StoreUnavailableException)
            {
                return false;
            }
        });
    }

    [Fact]
    public async Task SilentInUse_AnsweredWrite_EnablesReads()
    {
        await using var proxy = new BrokenProxy(PostgresStores.Server);
        using var services = stores.StartProcess(stores.OptionsVia(proxy.Port));
        var users = services.GetRequiredService<IUserStore>();
        await WarmUpAsync(users);
        proxy.Silence();
        await AssertUnavailableAsync(() => users.FindAsync(Guid.NewGuid()));

        proxy.Restore();
        await users.SaveAsync([new(Guid.NewGuid(), TestUsers.Noon)]);

        Assert.Null(await users.FindAsync(Guid.NewGuid()));
    }

    [Fact]
    public Task PooledConnectionsSilent_NewOnesWork_EveryCallIsAnsweredInTime() => Runs.OneOfThreePassesAsync(async () =>
    {
        await using var proxy = new BrokenProxy(PostgresStores.Server);
        await using var services = stores.StartProcess(stores.OptionsVia(proxy.Port));
        var users = services.GetRequiredService<IUserStore>();
        var database = services.GetRequiredService<IStoreDatabase>();
        using var drops = new PoolDrops(services);
        for (var round = 0; round < 3; round++) await Task.WhenAll(Enumerable.Range(0, 60).Select(_ => Task.Run(() => users.InsertAsync(TestUsers.New(), account: null))));

        proxy.SilenceEstablished();
        var calls = new List<Task> { AnsweredAsync(() => database.PingAsync()) };
        for (var i = 0; i < 20; i++)
        {
            calls.Add(AnsweredAsync(() => users.InsertAsync(TestUsers.New(), account: null)));
            calls.Add(AnsweredAsync(() => users.FindOrInsertAsync(TestUsers.New())));
            calls.Add(AnsweredAsync(() => users.FindAsync(Guid.NewGuid())));
        }

        await Task.WhenAll(calls);
        for (var i = 0; i < 20; i++) await AnsweredAsync(() => users.UpdateProfileAsync(TestUsers.New()));
        Assert.Equal(1, drops.Count);

        static Task AnsweredAsync(Func<Task> call) => Task.Run(async () =>
        {
            var clock = Stopwatch.StartNew();
            await call();
            Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        });
    });

    [Fact]
    public async Task StatementThatWaitsForALock_KeepsThePool()
    {
        var user = TestUsers.New();
        await stores.Users.InsertAsync(user, account: null);
        await using var services = stores.StartProcess();
        using var drops = new PoolDrops(services);
        await using (var other = await stores.Database.DataSource.OpenConnectionAsync())
        await using (await LockAsync(other, user.Id))
        {
            await AssertUnavailableAsync(() => services.GetRequiredService<IUserStore>().UpdateProfileAsync(user with { Name = "Late" }));
        }

        Assert.Equal(0, drops.Count);
    }

    [Fact]
    public async Task StatementWithALongLimit_ServerCannotBeAsked_KeepsThePool()
    {
        // As behind a pooler, the server does not say whether it works on the statement.
        var options = stores.Options;
        options.PostgresConnectionString += ";Options=-c track_activities=off";
        await using var services = stores.StartProcess(options);
        using var drops = new PoolDrops(services);
        var database = (PostgresDatabase)services.GetRequiredService<IStoreDatabase>();
        var limit = TimeSpan.FromSeconds(1.2);

        await database.RunBatchAsync("SELECT pg_sleep(0.8)", new(limit, limit), _ => { }, (reader, token) => reader.ReadAsync(token));

        Assert.Equal(0, drops.Count);
    }

    [Fact]
    public async Task ReadWithoutAPlaceInThePool_DoesNotCountAsAnOutage()
    {
        var user = TestUsers.New();
        await stores.Users.InsertAsync(user, account: null);
        var options = stores.Options;
        options.PostgresConnectionString += ";Maximum Pool Size=1";
        await using var services = stores.StartProcess(options);
        var users = services.GetRequiredService<IUserStore>();
        await using (await services.GetRequiredService<IStoreDatabase>().DataSource.OpenConnectionAsync())
        {
            await AssertUnavailableAsync(() => users.FindAsync(user.Id));
        }

        // Soon enough for a refusal because of the earlier failure, which would last until the next ping.
        Assert.NotNull(await users.FindAsync(user.Id));
    }

    [Fact]
    public async Task RestartedWhileIdle_FirstCallSucceeds()
    {
        await using var proxy = new BrokenProxy(PostgresStores.Server);
        using var services = stores.StartProcess(stores.OptionsVia(proxy.Port));
        var users = services.GetRequiredService<IUserStore>();
        await WarmUpAsync(users);

        proxy.Restore();

        Assert.Equal(UserWrite.Saved, await users.InsertAsync(TestUsers.New(), account: null));
    }

    [Fact]
    public async Task RowLockedTooLong_ThrowsUnavailableThenRecovers()
    {
        var user = TestUsers.New();
        await stores.Users.InsertAsync(user, account: null);
        await using (var other = await stores.Database.DataSource.OpenConnectionAsync())
        await using (var transaction = await other.BeginTransactionAsync())
        {
            await using var command = other.CreateCommand();
            command.CommandText = $"SELECT 1 FROM users WHERE id = '{user.Id}' FOR UPDATE";
            await command.ExecuteNonQueryAsync();

            await AssertUnavailableAsync(() => stores.Users.UpdateProfileAsync(user with { Name = "Late" }));
        }

        // Stale if the server executed the timed-out statement after all, because a timeout does not undo the statement.
        Assert.True(await stores.Users.UpdateProfileAsync(user with { Name = "In time" }) is UserWrite.Saved or UserWrite.Stale);
    }

    [Fact]
    public async Task Unavailable_MessageHasNoSecret()
    {
        var options = stores.OptionsVia(LowPort.Find());
        options.PostgresConnectionString += ";Password=hunter2";
        using var services = stores.StartProcess(options);

        var exception = await Assert.ThrowsAsync<StoreUnavailableException>(() => services.GetRequiredService<IStoreDatabase>().PingAsync());

        Assert.DoesNotContain("hunter2", exception.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("Username", exception.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task Ping_DatabaseAvailable_Returns() => await stores.Database.PingAsync();

    /// <summary>Fills the pool, so that the following calls meet connections that were good.</summary>
    private static async Task WarmUpAsync(IUserStore users) => await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => users.FindAsync(Guid.NewGuid())));

    private static async Task AssertUnavailableAsync(IServiceProvider services)
    {
        var users = services.GetRequiredService<IUserStore>();
        var database = services.GetRequiredService<IStoreDatabase>();
        await AssertUnavailableAsync(() => users.FindAsync(Guid.NewGuid()));
        await Task.WhenAll(
            AssertUnavailableAsync(() => users.InsertAsync(TestUsers.New(), account: null)),
            AssertUnavailableAsync(() => users.UpdateProfileAsync(TestUsers.New())),
            AssertUnavailableAsync(() => users.SaveAsync([new(Guid.NewGuid(), TestUsers.Noon)])),
            AssertUnavailableAsync(() => services.GetRequiredService<IAccountStore>().FindAsync("test", "somebody")),
            AssertUnavailableAsync(() => database.PingAsync()));
    }

    // On the thread pool, as in a silo, because xunit's own few threads are busy with other tests.
    private static Task AssertUnavailableAsync(Func<Task> call, [CallerArgumentExpression(nameof(call))] string? text = null) => Task.Run(async () =>
    {
        var started = Stopwatch.GetTimestamp();
        var exception = await Assert.ThrowsAsync<StoreUnavailableException>(call);
        var elapsed = Stopwatch.GetElapsedTime(started);
        Assert.True(elapsed <= s_answer, $"{text} was answered after {elapsed}, expected {s_answer} at most: {exception.Message}");
    });

    private static async Task<DbTransaction> LockAsync(DbConnection connection, Guid userId)
    {
        var transaction = await connection.BeginTransactionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = $"SELECT 1 FROM users WHERE id = '{userId}' FOR UPDATE";
        await command.ExecuteNonQueryAsync();
        return transaction;
    }

    /// <summary>How often one process has replaced its pool.</summary>
    private sealed class PoolDrops : IDisposable
    {
        private readonly MeterListener _listener = new();
        private int _count;

        public PoolDrops(IServiceProvider services)
        {
            var meters = services.GetRequiredService<IMeterFactory>();
            _listener.InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "pulse.store.pool_drops" && instrument.Meter.Scope == meters) listener.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((_, added, _, _) => Interlocked.Add(ref _count, (int)added));
            _listener.Start();
        }

        public int Count => Volatile.Read(ref _count);

        public void Dispose() => _listener.Dispose();
    }
}
