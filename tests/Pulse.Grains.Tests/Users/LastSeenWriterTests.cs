using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Pulse.Grains.Presence;
using Pulse.Grains.Storage;
using Pulse.Grains.Tests.Storage;
using Pulse.Grains.Users;
using Xunit;

namespace Pulse.Grains.Tests.Users;

/// <summary>How long a grain waits for lastSeen while PostgreSQL is unavailable, and that every value is kept.</summary>
[Collection(TimedTests.Name)]
public sealed class LastSeenWriterTests(TimedPostgresStores stores) : IClassFixture<TimedPostgresStores>
{
    [Fact]
    public Task SilentDatabase_CallersWaitHalfASecond_ThenNoLongerAtAll_AndAllIsWrittenOnceItIsBack() => Runs.OneOfThreePassesAsync(async () =>
    {
        await using var proxy = new BrokenProxy(PostgresStores.Server);
        await using var services = StartWriter(stores.OptionsVia(proxy.Port), out var lastSeen);
        UserRow[] users = [.. Enumerable.Range(0, 30).Select(_ => TestUsers.New())];
        foreach (var user in users) await stores.Users.InsertAsync(user, account: null);
        await lastSeen.StartAsync(CancellationToken.None);
        await lastSeen.SaveAsync(new(users[0].Id, TestUsers.Noon.AddHours(-1)));

        proxy.Silence();
        await AssertUnsavedWithinAsync(TimeSpan.FromMilliseconds(900), () => lastSeen.SaveAsync(new(users[0].Id, TestUsers.Noon)));

        // Half a second each would be 15 s of the turns of grains.
        var clock = Stopwatch.StartNew();
        foreach (var user in users) await Assert.ThrowsAsync<StoreUnavailableException>(() => lastSeen.SaveAsync(new(user.Id, TestUsers.Noon)));
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromMilliseconds(500));

        proxy.Restore();
        foreach (var user in users) await Eventually.AsyncEqual(TestUsers.Noon, async () => (await stores.Users.FindAsync(user.Id))!.LastSeenAt);
        await lastSeen.SaveAsync(new(users[0].Id, TestUsers.Noon.AddHours(1)));
        await lastSeen.StopAsync(CancellationToken.None);
    });

    [Fact]
    public async Task Stop_WritesWhatIsQueued()
    {
        await using var services = StartWriter(stores.Options, out var lastSeen);
        var user = TestUsers.New();
        await stores.Users.InsertAsync(user, account: null);
        await lastSeen.StartAsync(CancellationToken.None);

        lastSeen.Queue([new(user.Id, TestUsers.Noon)]);
        await lastSeen.StopAsync(CancellationToken.None);

        Assert.Equal(TestUsers.Noon, (await stores.Users.FindAsync(user.Id))!.LastSeenAt);
    }

    private static ServiceProvider StartWriter(StoreOptions options, out LastSeenWriter lastSeen)
    {
        var services = new ServiceCollection().AddLogging().AddPulseStores(options).AddSingleton<LastSeenWriter>().BuildServiceProvider();
        lastSeen = services.GetRequiredService<LastSeenWriter>();
        return services;
    }

    // On the thread pool, as in a silo.
    private static Task AssertUnsavedWithinAsync(TimeSpan bound, Func<Task> save) => Task.Run(async () =>
    {
        var clock = Stopwatch.StartNew();
        await Assert.ThrowsAsync<StoreUnavailableException>(save);
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, bound);
    });
}
