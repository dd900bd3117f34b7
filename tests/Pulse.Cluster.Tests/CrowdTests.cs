using System.Diagnostics;
using Npgsql;
using Xunit.Abstractions;

namespace Pulse.Cluster.Tests;

/// <summary>Faults of a front end or a silo that has many users.</summary>
public sealed class CrowdTests(ClusterFixture fixture, ITestOutputHelper output) : ClusterTests(fixture, output)
{
    // The time of a complete check, and of a second check if the first came too early, on a busy machine.
    private static readonly TimeSpan s_lookingMargin = TimeSpan.FromSeconds(3);

    // Of a starting silo: schema, keys, upgrades of rows; and of the grains that are activated anew, for the fleet.
    private static readonly int s_statementsOfAStart = 200 + Scale.Users;

    [Theory]
    [InlineData("refuses")]
    [InlineData("is silent")]
    public async Task FrontEndOfManySocketsKilled_WhilePostgresIsAway_EndsItsUsersInTime_AndNoKeyOfOthers(string how)
    {
        await WaitUntilRightAsync("before the crowd");
        await using var crowd = new Crowd(Cluster, "front-end-1", Scale.Crowd);
        await using var others = new Crowd(Cluster, "front-end-2", Scale.Crowd / 10);
        await crowd.StartAsync(contacts: 0);
        await others.StartAsync(contacts: 0);
        await using var redis = await Cluster.OpenRedisAsync();
        Assert.Equal((Scale.Crowd, Scale.Crowd / 10), (await crowd.CountKeysAsync(redis), await others.CountKeysAsync(redis)));

        if (how == "refuses") await Cluster.StopAsync("postgres");
        else Cluster.SilencePostgres(true);
        try
        {
            // The outage is older than a renewal when the front end dies.
            var (lowest, left) = (others.Users.Length, crowd.Users.Length);
            var away = Stopwatch.StartNew();
            while (away.Elapsed < Scale.TimeToLive / 2) await LookAsync();
            await Cluster.KillAsync("front-end-1");
            var dead = Stopwatch.StartNew();
            while (left > 0 && dead.Elapsed < Scale.TimeToLive * 2) await LookAsync();
            var ended = dead.Elapsed;

            // Longer than every key lives without renewal.
            while (dead.Elapsed < Scale.TimeToLive * 1.2) await LookAsync();
            Output.WriteLine($"PostgreSQL {how}: {crowd.Users.Length} users of the dead front end were offline after {ended.TotalSeconds:F1} s; of {others.Users.Length} others at least {lowest} had their key");
            Assert.Equal((others.Users.Length, 0), (lowest, left));
            Assert.True(ended < Scale.TimeToLive + s_lookingMargin, $"The last key ended after {ended.TotalSeconds:F1} s.");
            Assert.Equal(others.Users.Length, others.Connected);

            async Task LookAsync()
            {
                left = await crowd.CountKeysAsync(redis);
                lowest = Math.Min(lowest, await others.CountKeysAsync(redis));
                await Task.Delay(250);
            }
        }
        finally
        {
            if (how == "refuses") await Cluster.StartAsync("postgres");
            else Cluster.SilencePostgres(false);
            await Cluster.StartAsync("front-end-1");
            await WaitUntilReadyAsync();
        }

        await WaitUntilRightAsync("after the crowd");
    }

    [Fact]
    public async Task SiloRestarted_WhileManyUsersAreWatched_CostsFewStatements()
    {
        await using var crowd = new Crowd(Cluster, "front-end-1", Scale.Crowd);
        await crowd.StartAsync(contacts: 100);
        await Fleet.StopWritingAsync();
        try
        {
            await Cluster.KillAsync("silo-1");
            await WaitUntilRightAsync("without the silo");
            await Cluster.StartAsync("silo-1");
            await WaitUntilReadyAsync();

            // As long as the restart with all that it caused.
            var restarted = await CountStatementsAsync(async () =>
            {
                await Cluster.KillAsync("silo-2");
                await Task.Delay(Scale.TimeToLive / 2);
                await Cluster.StartAsync("silo-2");
                await WaitUntilReadyAsync();
                await Task.Delay(Scale.TimeToLive / 2);
            });
            var atRest = await CountStatementsAsync(() => Task.Delay(Scale.TimeToLive));
            Output.WriteLine($"{crowd.Watched} watched users: {restarted} statements with a silo's restart, {atRest} in {Scale.TimeToLive.TotalSeconds:F0} s at rest");
            Assert.Equal(crowd.Users.Length, crowd.Connected);
            Assert.True(restarted - atRest <= (crowd.Watched / 100) + s_statementsOfAStart, $"{restarted - atRest} statements.");
        }
        finally
        {
            Fleet.StartWriting();
        }

        await WaitUntilRightAsync("after the restart");
    }

    // The transactions of all processes. PostgreSQL writes its counters with a delay of a second.
    private async Task<long> CountStatementsAsync(Func<Task> step)
    {
        var before = await ReadAsync();
        await step();
        return await ReadAsync() - before;

        async Task<long> ReadAsync()
        {
            await Task.Delay(TimeSpan.FromSeconds(2));
            await using var database = await Cluster.OpenDatabaseAsync();
            await using var command = new NpgsqlCommand("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()", database);
            return (long)(await command.ExecuteScalarAsync())!;
        }
    }
}
