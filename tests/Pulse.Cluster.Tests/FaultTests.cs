using System.Diagnostics;
using System.Net;
using Npgsql;
using Pulse.Grains.Tests;
using Xunit.Abstractions;

namespace Pulse.Cluster.Tests;

/// <summary>
/// Faults in a cluster under load. After each: every answered write is stored, and ghosts and false offline states are absent.
/// </summary>
public sealed class FaultTests(ClusterFixture fixture, ITestOutputHelper output) : ClusterTests(fixture, output)
{
    // The time of a complete check, and of a second check if the first came too early, on a busy machine.
    private static readonly TimeSpan s_lookingMargin = TimeSpan.FromSeconds(3);

    // 5 s, and 4 s for a busy machine. Orleans itself gives a call up after 10 s.
    private static readonly TimeSpan s_answered = TimeSpan.FromSeconds(9);

    /// <summary>The fault and its processes. Several at once are joined by "+".</summary>
    public static TheoryData<string> Faults => Scale.IsLong
        ? ["kill silo-1", "kill silo-2", "kill silo-3", "kill front-end-1", "kill front-end-2", "kill silo-1+silo-2+silo-3", "freeze silo-2", "freeze front-end-1", "cut silo-1"]
        : ["kill silo-2", "kill front-end-1"];

    [Theory, MemberData(nameof(Faults))]
    public async Task Fault_LosesNothing(string fault)
    {
        var (verb, names) = fault.Split(' ') is [var first, var second] ? (first, second.Split('+')) : throw new ArgumentException(fault);
        await Fleet.LeaveAsync(Scale.Users / 50);
        await WaitUntilRightAsync("before the fault");

        var clock = Stopwatch.StartNew();
        foreach (var name in names) await HurtAsync(verb, name);

        // Some users disconnect while the fault may hide it. A dying front end takes the knowledge of its last seconds with it, so not
        // there.
        if (!names[0].StartsWith("front-end", StringComparison.Ordinal)) await Fleet.LeaveAsync(Scale.Users / 50);
        if (names.Length == 3)
        {
            foreach (var name in names) await Cluster.StartAsync(name);
        }

        // Clients of a silent process notice it by their own pings.
        await Task.Delay(verb == "kill" ? TimeSpan.FromSeconds(1) : Scale.TimeToLive);
        await WaitUntilRightAsync($"after {fault}");
        var converged = clock.Elapsed;

        foreach (var name in names) await HealAsync(verb, name);
        foreach (var name in names) await Cluster.StartAsync(name);
        await WaitUntilReadyAsync();
        Fleet.ComeBack();
        await VerifyAsync(fault, converged);
    }

    [Fact]
    public async Task RollingRestart_UnderLoad_FailsNoRequest()
    {
        var failuresBefore = Fleet.Writers.Select(writer => writer.Failures.Count).ToArray();
        var clock = Stopwatch.StartNew();
        foreach (var name in LocalCluster.Processes)
        {
            await Cluster.StopAsync(name);
            await Cluster.StartAsync(name);
            await WaitUntilReadyAsync();
        }

        var failures = Fleet.Writers.SelectMany((writer, i) => writer.Failures.Skip(failuresBefore[i])).ToArray();
        Assert.True(failures.Length == 0, $"{failures.Length} requests failed: {string.Join(' ', failures.Take(20))}\n{Cluster.LogTails()}");
        await WaitUntilRightAsync("after a rolling restart");
        await VerifyAsync("rolling restart of all five", clock.Elapsed);
    }

    [Fact]
    public async Task SiloKilledAndAnotherStopped_InvisibleUsersStayInvisible()
    {
        await using var invisible = new InvisibleUsers(Cluster, Fleet);
        await invisible.StartAsync();
        var lastSeen = await invisible.StoredLastSeenAsync();

        await Cluster.KillAsync("silo-1");
        await Cluster.StopAsync("silo-2");

        // For longer than a lease lives: every grain has been activated anew, and every device was renewed.
        await Task.Delay(Scale.TimeToLive);
        await Cluster.StartAsync("silo-1");
        await Cluster.StartAsync("silo-2");
        await WaitUntilReadyAsync();
        await invisible.AllConnectedAsync();

        Output.WriteLine($"looks at /presence: {invisible.Looks}; leaks: {invisible.Leaks.Count}");
        Assert.Empty(invisible.Leaks);
        Assert.True(invisible.Looks > 0, "GET /presence was never answered.");
        Assert.Equal(lastSeen.OrderBy(user => user.Key), (await invisible.StoredLastSeenAsync()).OrderBy(user => user.Key));
    }

    [Fact]
    public Task RedisFlushed_KeysAreBackWithinAThirdOfTheirLife() => Runs.OneOfThreePassesAsync(async () =>
    {
        await WaitUntilRightAsync("before FLUSHALL");
        await using (var redis = await Cluster.OpenRedisAsync()) await redis.GetServers()[0].ExecuteAsync("FLUSHDB");

        var converged = await WaitUntilRightAsync("after FLUSHALL");
        Assert.True(converged < Scale.TimeToLive / 3 + s_lookingMargin, $"Keys were right after {converged.TotalSeconds:F1} s.");
        await VerifyAsync("FLUSHALL", converged);
    });

    [Fact]
    public async Task PostgresStopped_PresenceGoesOnAndNothingIsLost()
    {
        await WaitUntilRightAsync("before PostgreSQL stops");
        await using var talk = new Talk(Cluster);
        await talk.StartAsync();
        await Wait.UntilAsync("messages to be acknowledged", () => Task.FromResult(talk.Acknowledged > 20 ? "" : $"{talk.Acknowledged}"), TimeSpan.FromMinutes(1));
        var clock = Stopwatch.StartNew();
        await Cluster.StopAsync("postgres");
        talk.ForgetSlowest();
        await Fleet.LeaveAsync(Scale.Users / 50);
        var told = await Wait.UntilAsync("watchers told of who left", () => Task.FromResult(
            Fleet.Watchers.SelectMany(watcher => watcher.UserIds.Where(Fleet.Left.ContainsKey).Select(watcher.StatusOf)).All(status => status == "offline")
                ? "" : "not yet"), TimeSpan.FromSeconds(20));

        var write = Stopwatch.StartNew();
        var (status, retryAfter) = await Fleet.Writers[0].TryOnceAsync();
        write.Stop();
        Assert.Equal(503, status);
        Assert.NotNull(retryAfter);
        // The stores give up after 1.6 s, the driver by itself after 15 s.
        Assert.True(write.Elapsed < TimeSpan.FromSeconds(10), $"503 came after {write.Elapsed.TotalSeconds:F1} s.");

        var left = Scale.Outage - clock.Elapsed;
        if (left > TimeSpan.Zero) await Task.Delay(left);
        var (slowest, overHub) = (talk.Slowest, talk.SlowestOverHub);
        await Cluster.StartAsync("postgres");
        var converged = await WaitUntilRightAsync("after PostgreSQL is back");

        // Each sender has repeated its message until it was acknowledged.
        var acknowledged = talk.Acknowledged;
        await Wait.UntilAsync("messages to be acknowledged again", () => Task.FromResult(talk.Acknowledged > acknowledged + 20 ? "" : "none"), TimeSpan.FromMinutes(1));
        await talk.StopAsync();
        await Wait.UntilAsync("answers, logs and database to agree", talk.FindFaultsAsync, TimeSpan.FromMinutes(1));
        Output.WriteLine($"PostgreSQL away: slowest answer to a send {slowest.TotalSeconds:F1} s, over hubs {overHub.TotalSeconds:F1} s; {talk.Acknowledged} messages acknowledged in all");
        Assert.True(slowest < s_answered, $"A send was answered after {slowest.TotalSeconds:F1} s.");
        Fleet.ComeBack();
        Output.WriteLine($"PostgreSQL away: watchers told after {told.TotalSeconds:F1} s; a write answered 503 after {write.Elapsed.TotalSeconds:F1} s");
        await VerifyAsync($"PostgreSQL stopped for {clock.Elapsed.TotalSeconds:F0} s", converged);
    }

    [Fact]
    public async Task RedisKilledAndBackEmpty_IsFullyRestored()
    {
        await WaitUntilRightAsync("before Redis dies");
        var answered = Fleet.Writers.Sum(writer => writer.AnsweredCount);
        var clock = Stopwatch.StartNew();
        await Cluster.KillAsync("redis");
        await Task.Delay(Scale.Outage);
        Assert.True(Fleet.Writers.Sum(writer => writer.AnsweredCount) > answered, "No write was answered while Redis was away.");
        Cluster.EmptyRedis();
        await Cluster.StartAsync("redis");
        var converged = await WaitUntilRightAsync("after Redis is back, empty");
        await VerifyAsync($"Redis killed for {clock.Elapsed.TotalSeconds:F0} s and back empty", converged);
    }

    // A front end holds half of all sockets and a silo a third of their users, so of one each this is 8 KiB and 12. Measured: a third of
    // that in a healthy process, 13 KiB in a front end that keeps everything of a SignalR connection.
    private const int BytesPerConnect = 4 * 1024;

    /// <summary>
    /// A process grows while it warms up, under any load, so it is measured between two times after that. The long set waits until the
    /// grains of disconnected users are deactivated. The short one cannot: its many rounds show what the same users' connections leave
    /// behind.
    /// </summary>
    [Fact]
    public Task RepeatedConnectsAndDisconnects_ReturnTheirMemory() => Runs.OneOfThreePassesAsync(async () =>
    {
        // A process may take some MiB at once, for example when its hot code is compiled anew. What connects leave behind grows in each run.
        var before = await MemoryAfterAsync(Scale.WarmUpRounds);
        var connects = Fleet.Sockets.Values.Sum(socket => socket.Connects);
        var after = await MemoryAfterAsync(Scale.MeasuredRounds);
        connects = Fleet.Sockets.Values.Sum(socket => socket.Connects) - connects;

        foreach (var (name, bytes) in before)
        {
            var growth = $"{name} grew from {bytes >> 10} to {after[name] >> 10} KiB over {connects} connects.";
            Output.WriteLine(growth);
            Assert.True(after[name] - bytes <= (long)BytesPerConnect * connects, growth);
        }
    });

    // The lowest of some rounds with no client connected: uncollected garbage varies, retained memory stays.
    private async Task<Dictionary<string, long>> MemoryAfterAsync(int rounds)
    {
        var lowest = LocalCluster.Processes.ToDictionary(name => name, _ => long.MaxValue);
        for (var round = 1; round <= rounds; round++)
        {
            await Fleet.LeaveAsync(Fleet.Users.Length);
            await WaitUntilRightAsync($"after all have left, round {round}");
            if (round > rounds - Scale.MemoryLooks)
            {
                await Task.Delay(Scale.UntilGrainsAreGone);
                foreach (var name in LocalCluster.Processes) lowest[name] = Math.Min(lowest[name], Cluster.OwnBytes(name));
            }

            Fleet.ComeBack();
            await WaitUntilRightAsync($"after all are back, round {round}");
        }

        return lowest;
    }

    private Task HurtAsync(string verb, string name) => verb switch
    {
        "kill" => Cluster.SignalAsync(name, "KILL"),
        "freeze" => Cluster.SignalAsync(name, "STOP"),
        "cut" => Cluster.CutAsync(name),
        _ => throw new ArgumentException(verb),
    };

    private async Task HealAsync(string verb, string name)
    {
        if (verb == "cut") await Cluster.MendAsync(name);
        if (verb != "freeze") return;
        await Cluster.SignalAsync(name, "CONT");

        // A silo resumes among others that have declared it dead. It must find out, and end itself.
        if (!name.StartsWith("silo", StringComparison.Ordinal)) return;
        await Wait.UntilAsync($"{name} to end itself", () => Task.FromResult(Cluster.IsAlive(name) ? "it runs" : ""), TimeSpan.FromMinutes(1));
    }
}
