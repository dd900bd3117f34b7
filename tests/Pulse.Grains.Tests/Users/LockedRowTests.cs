using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Pulse.Grains.Presence;
using Pulse.Grains.Tests.Storage;
using Pulse.Grains.Users;
using Xunit;

namespace Pulse.Grains.Tests.Users;

/// <summary>A row or an e-mail that another program locks or the database refuses affects only its own users.</summary>
[Collection(TimedTests.Name)]
public sealed class LockedRowTests(TimedPostgresStores stores) : IClassFixture<TimedPostgresStores>, IAsyncLifetime
{
    private ServiceProvider _services = null!;
    private LastSeenWriter _lastSeen = null!;

    public async Task InitializeAsync()
    {
        _services = new ServiceCollection().AddLogging().AddPulseStores(stores.Options).AddSingleton<LastSeenWriter>().BuildServiceProvider();
        _lastSeen = _services.GetRequiredService<LastSeenWriter>();
        await _lastSeen.StartAsync(CancellationToken.None);
    }

    public async Task DisposeAsync()
    {
        await _lastSeen.StopAsync(CancellationToken.None);
        await _services.DisposeAsync();
    }

    [Fact]
    public Task EmailAndRowLocked_OtherUsersAreInsertedInTime_AndTheirLastSeenIsSaved() => Runs.OneOfThreePassesAsync(async () =>
    {
        var (locked, other) = (TestUsers.New(), TestUsers.New());
        await stores.Users.InsertAsync(locked, account: null);
        await stores.Users.InsertAsync(other, account: null);
        var contested = TestUsers.New().Email;
        await using var holder = await LockAsync(
            $"INSERT INTO users (id, email, name) VALUES ('{Guid.CreateVersion7()}', '{contested}', 'Other program'); "
                + $"UPDATE users SET name = 'Other program' WHERE id = '{locked.Id}'");

        var users = _services.GetRequiredService<IUserStore>();
        for (var i = 0; i < 20; i++) await users.FindOrInsertAsync(TestUsers.New()); // Warms the compiler up.
        using var stop = new CancellationTokenSource();
        var retries = Enumerable.Range(0, 4).Select(_ => Task.Run(() => RetryAsync(contested, stop.Token))).ToArray();
        var lockedSave = Record.ExceptionAsync(() => _lastSeen.SaveAsync(new(locked.Id, TestUsers.Noon)));
        var times = new ConcurrentBag<TimeSpan>();
        var refused = new ConcurrentBag<Exception>();

        // 20 a second, whatever the outcome of the earlier ones.
        var syncs = new List<Task>();
        using (var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50)))
        {
            while (syncs.Count < 200 && await timer.WaitForNextTickAsync()) syncs.Add(Task.Run(SyncAsync));
        }

        await Task.WhenAll(syncs);
        var savedAfter = Stopwatch.StartNew();
        await _lastSeen.SaveAsync(new(other.Id, TestUsers.Noon));
        Assert.InRange(savedAfter.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(2));
        Assert.Equal(TestUsers.Noon, (await users.FindAsync(other.Id))?.LastSeenAt);
        Assert.IsType<StoreUnavailableException>(await lockedSave);
        await stop.CancelAsync();
        Assert.All(await Task.WhenAll(retries), attempts => Assert.True(attempts > 0));

        var sorted = times.Order().ToArray();
        Assert.True(refused.IsEmpty, $"{refused.Count} of {syncs.Count} were refused: {refused.FirstOrDefault()?.Message}");
        Assert.InRange(sorted[sorted.Length * 99 / 100], TimeSpan.Zero, TimeSpan.FromMilliseconds(200));

        // Locked rows are written once they are free.
        await holder.DisposeAsync();
        await Eventually.AsyncEqual(TestUsers.Noon, async () => (await users.FindAsync(locked.Id))?.LastSeenAt);

        // The e-mail is taken if the database began an attempt that its caller had given up.
        Assert.True((await users.FindOrInsertAsync(TestUsers.New(contested))).Insert is UserWrite.Saved or UserWrite.EmailTaken);

        async Task SyncAsync()
        {
            var clock = Stopwatch.StartNew();
            try
            {
                await users.FindOrInsertAsync(TestUsers.New());
                times.Add(clock.Elapsed);
            }
            catch (StoreUnavailableException e)
            {
                refused.Add(e);
            }
        }

        async Task<int> RetryAsync(string email, CancellationToken stopped)
        {
            for (var attempts = 0; ; attempts++)
            {
                if (stopped.IsCancellationRequested) return attempts;
                await Assert.ThrowsAsync<StoreUnavailableException>(() => users.FindOrInsertAsync(TestUsers.New(email)));
            }
        }
    });

    [Fact]
    public Task EmailLockedForAMoment_ItsOwnCallerWaitsForIt() => Runs.OneOfThreePassesAsync(async () =>
    {
        var email = TestUsers.New().Email;
        await using var holder = await LockAsync($"INSERT INTO users (id, email, name) VALUES ('{Guid.CreateVersion7()}', '{email}', 'Other program')");
        var waiting = _services.GetRequiredService<IUserStore>().FindOrInsertAsync(TestUsers.New(email));
        await Eventually.AsyncEqual<object?>(true, () => stores.ExecuteAsync("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"));

        await holder.DisposeAsync();

        Assert.Equal((null, UserWrite.Saved), await waiting);
    });

    [Fact]
    public async Task LastSeen_OfARefusedRow_DelaysNoOther_AndIsWrittenOnceAccepted()
    {
        UserRow[] users = [.. Enumerable.Range(0, 50).Select(_ => TestUsers.New())];
        foreach (var user in users) await stores.Users.InsertAsync(user, account: null);
        await stores.ExecuteAsync(
            $"""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
            CREATE TRIGGER refuse BEFORE UPDATE ON users FOR EACH ROW WHEN (OLD.id = '{users[7].Id}') EXECUTE FUNCTION refuse();
            """);

        // Together in one batch, and again.
        var (first, second) = (TestUsers.Noon, TestUsers.Noon.AddMinutes(1));
        await SaveAllAsync(first);
        await SaveAllAsync(second);

        // The other callers may have stopped waiting, because a busy machine answers late. Their values are saved all the same, while the
        // row is refused.
        UserRow[] others = [.. users.Where(user => user != users[7])];
        await Eventually.AsyncEqual(others.Length, async () => (await LastSeenOfAsync(others)).Count(at => at == second));
        Assert.Null((await stores.Users.FindAsync(users[7].Id))?.LastSeenAt);

        await stores.ExecuteAsync("DROP TRIGGER refuse ON users");
        await Eventually.AsyncEqual(second, async () => (await stores.Users.FindAsync(users[7].Id))?.LastSeenAt);

        async Task SaveAllAsync(DateTimeOffset at)
        {
            var answers = await Task.WhenAll(users.Select(user => Record.ExceptionAsync(() => _lastSeen.SaveAsync(new(user.Id, at)))));
            Assert.IsType<StoreUnavailableException>(answers[7]);
            Assert.All(answers, answer => Assert.True(answer is null or StoreUnavailableException, answer?.ToString()));
        }
    }

    private Task<DateTimeOffset?[]> LastSeenOfAsync(UserRow[] users) =>
        Task.WhenAll(users.Select(async user => (await stores.Users.FindAsync(user.Id))?.LastSeenAt));

    /// <summary>A transaction of another session that stays open until it is disposed of, and is then rolled back.</summary>
    private async Task<IAsyncDisposable> LockAsync(string sql)
    {
        var connection = await stores.Database.DataSource.OpenConnectionAsync();
        var transaction = await connection.BeginTransactionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
        return new Holder(connection, transaction);
    }

    private sealed class Holder(System.Data.Common.DbConnection connection, System.Data.Common.DbTransaction transaction) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }
    }
}
