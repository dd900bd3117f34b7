using System.Diagnostics;
using System.Net;
using Npgsql;
using Pulse.Grains.Tests;
using Xunit.Abstractions;

namespace Pulse.Cluster.Tests;

/// <summary>
/// Faults in a cluster under load. After each: every answered write is stored, and ghosts and false offline states are absent.
/// </summary>
public sealed class FaultTests(ClusterFixture fixture, ITestOutputHelper output) : IClassFixture<ClusterFixture>, IAsyncLifetime
{
    // The time of a complete check, and of a second check if the first came too early, on a busy machine.
    private static readonly TimeSpan s_lookingMargin = TimeSpan.FromSeconds(3);

    // 5 s, and 4 s for a busy machine. Orleans itself gives a call up after 10 s.
    private static readonly TimeSpan s_answered = TimeSpan.FromSeconds(9);

    private readonly LocalCluster _cluster = fixture.Cluster;
    private readonly Fleet _fleet = fixture.Fleet;
    private readonly Checker _checker = fixture.Checker;

    /// <summary>The fault and its processes. Several at once are joined by "+".</summary>
    public static TheoryData<string> Faults => Scale.IsLong
        ? ["kill silo-1", "kill silo-2", "kill silo-3", "kill front-end-1", "kill front-end-2", "kill silo-1+silo-2+silo-3", "freeze silo-2", "freeze front-end-1", "cut silo-1"]
        : ["kill silo-2", "kill front-end-1"];

    /// <summary>The cluster and the fleet are shared, but each test counts its own false states.</summary>
    public Task InitializeAsync()
    {
        _fleet.BeginTest();
        return Task.CompletedTask;
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Theory, MemberData(nameof(Faults))]
    public async Task Fault_LosesNothing(string fault)
    {
        var (verb, names) = fault.Split(' ') is [var first, var second] ? (first, second.Split('+')) : throw new ArgumentException(fault);
        await _fleet.LeaveAsync(Scale.Users / 50);
        await WaitUntilRightAsync("before the fault");

        var clock = Stopwatch.StartNew();
        foreach (var name in names) await HurtAsync(verb, name);

        // Some users disconnect while the fault may hide it. A dying front end takes the knowledge of its last seconds with it, so not
        // there.
        if (!names[0].StartsWith("front-end", StringComparison.Ordinal)) await _fleet.LeaveAsync(Scale.Users / 50);
        if (names.Length == 3)
        {
            foreach (var name in names) await _cluster.StartAsync(name);
        }

        // Clients of a silent process notice it by their own pings.
        await Task.Delay(verb == "kill" ? TimeSpan.FromSeconds(1) : Scale.TimeToLive);
        await WaitUntilRightAsync($"after {fault}");
        var converged = clock.Elapsed;

        foreach (var name in names) await HealAsync(verb, name);
        foreach (var name in names) await _cluster.StartAsync(name);
        await WaitUntilReadyAsync();
        _fleet.ComeBack();
        await VerifyAsync(fault, converged);
    }

    [Fact]
    public async Task RollingRestart_UnderLoad_FailsNoRequest()
    {
        var failuresBefore = _fleet.Writers.Select(writer => writer.Failures.Count).ToArray();
        var clock = Stopwatch.StartNew();
        foreach (var name in LocalCluster.Processes)
        {
            await _cluster.StopAsync(name);
            await _cluster.StartAsync(name);
            await WaitUntilReadyAsync();
        }

        var failures = _fleet.Writers.SelectMany((writer, i) => writer.Failures.Skip(failuresBefore[i])).ToArray();
        Assert.True(failures.Length == 0, $"{failures.Length} requests failed: {string.Join(' ', failures.Take(20))}\n{_cluster.LogTails()}");
        await WaitUntilRightAsync("after a rolling restart");
        await VerifyAsync("rolling restart of all five", clock.Elapsed);
    }

    [Fact]
    public async Task SilosAndFrontEndKilled_WhileUsersSend_EachAcknowledgedMessageIsStoredOnce_AndReadersHoldTheLog()
    {
        await using var talk = new Talk(_cluster);
        await talk.StartAsync();
        string[] killed = ["silo-2", "front-end-1", "silo-1"];
        for (var i = 0; i < killed.Length || talk.Acknowledged < Scale.Messages; i++)
        {
            var (name, before) = (killed[i % killed.Length], talk.Acknowledged);
            await Wait.UntilAsync("messages to be acknowledged", () => Task.FromResult(talk.Acknowledged > before + 40 ? "" : $"{talk.Acknowledged - before}"), TimeSpan.FromMinutes(1));
            await _cluster.KillAsync(name);
            await Wait.UntilAsync($"messages to be acknowledged without {name}", () => Task.FromResult(talk.Acknowledged > before + 120 ? "" : $"{talk.Acknowledged - before}"), TimeSpan.FromMinutes(2));
            await _cluster.StartAsync(name);
            await WaitUntilReadyAsync();
        }

        await talk.StopAsync();
        var converged = await Wait.UntilAsync("answers, logs and database to agree", talk.FindFaultsAsync, TimeSpan.FromMinutes(1));
        output.WriteLine($"{talk.Acknowledged} messages, {talk.Repeats} repetitions answered; slowest answer {talk.Slowest.TotalSeconds:F1} s; logs equal after {converged.TotalSeconds:F1} s");
        Assert.True(talk.Slowest < s_answered, $"The slowest answer took {talk.Slowest.TotalSeconds:F1} s.");
    }

    [Fact]
    public async Task LockedConversation_RefusesInTime_OthersGoOn_AndNoRefusedMessageAppearsLater()
    {
        await using var talk = new Talk(_cluster);
        await talk.StartAsync();
        var locked = await talk.CreateAsync();
        Assert.Equal(HttpStatusCode.Created, (await talk.SendOnceAsync(locked, Guid.NewGuid(), sender: 0)).Status);

        var refused = new List<Guid>();
        await using (var other = await _cluster.OpenDatabaseAsync())
        {
            await using var transaction = await other.BeginTransactionAsync();
            await using (var take = new NpgsqlCommand("SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE", other, transaction) { Parameters = { new() { Value = locked } } })
                await take.ExecuteNonQueryAsync();
            var clock = Stopwatch.StartNew();
            var (before, sender) = (talk.Acknowledged, 0);
            talk.ForgetSlowest();
            while (clock.Elapsed < Scale.Lock)
            {
                var clientId = Guid.NewGuid();
                var (status, problem, time) = await talk.SendOnceAsync(locked, clientId, sender++ % 2);
                Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
                Assert.Contains(problem, (string[])["unavailable", "unknown-outcome"]);
                Assert.True(time < s_answered, $"{problem} took {time.TotalSeconds:F1} s.");
                if (problem == "unavailable") refused.Add(clientId);
            }

            output.WriteLine($"locked for {clock.Elapsed.TotalSeconds:F0} s: {sender} sends refused, {refused.Count} of them as not stored; other conversations: {talk.Acknowledged - before} messages, slowest {talk.Slowest.TotalSeconds:F1} s");
            Assert.True(talk.Acknowledged > before + 20, "The other conversations stood still.");
            Assert.True(talk.Slowest < s_answered, $"A send to another conversation took {talk.Slowest.TotalSeconds:F1} s.");
        }

        await Wait.UntilAsync("the conversation to take messages", async () => (await talk.SendOnceAsync(locked, Guid.NewGuid(), sender: 0)).Problem, TimeSpan.FromMinutes(1));
        await using (var database = await _cluster.OpenDatabaseAsync())
        await using (var count = new NpgsqlCommand("SELECT count(*) FROM entries WHERE client_id = ANY ($1)", database) { Parameters = { new() { Value = refused.ToArray() } } })
            Assert.Equal(0L, await count.ExecuteScalarAsync());
        await talk.StopAsync();
        await Wait.UntilAsync("answers, logs and database to agree", talk.FindFaultsAsync, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task SiloKilledAndAnotherStopped_InvisibleUsersStayInvisible()
    {
        await using var invisible = new InvisibleUsers(_cluster, _fleet);
        await invisible.StartAsync();
        var lastSeen = await invisible.StoredLastSeenAsync();

        await _cluster.KillAsync("silo-1");
        await _cluster.StopAsync("silo-2");

        // For longer than a lease lives: every grain has been activated anew, and every device was renewed.
        await Task.Delay(Scale.TimeToLive);
        await _cluster.StartAsync("silo-1");
        await _cluster.StartAsync("silo-2");
        await WaitUntilReadyAsync();
        await invisible.AllConnectedAsync();

        output.WriteLine($"looks at /presence: {invisible.Looks}; leaks: {invisible.Leaks.Count}");
        Assert.Empty(invisible.Leaks);
        Assert.True(invisible.Looks > 0, "GET /presence was never answered.");
        Assert.Equal(lastSeen.OrderBy(user => user.Key), (await invisible.StoredLastSeenAsync()).OrderBy(user => user.Key));
    }

    [Fact]
    public Task RedisFlushed_KeysAreBackWithinAThirdOfTheirLife() => Runs.OneOfThreePassesAsync(async () =>
    {
        await WaitUntilRightAsync("before FLUSHALL");
        await using (var redis = await _cluster.OpenRedisAsync()) await redis.GetServers()[0].ExecuteAsync("FLUSHDB");

        var converged = await WaitUntilRightAsync("after FLUSHALL");
        Assert.True(converged < Scale.TimeToLive / 3 + s_lookingMargin, $"Keys were right after {converged.TotalSeconds:F1} s.");
        await VerifyAsync("FLUSHALL", converged);
    });

    [Fact]
    public async Task PostgresStopped_PresenceGoesOnAndNothingIsLost()
    {
        await WaitUntilRightAsync("before PostgreSQL stops");
        await using var talk = new Talk(_cluster);
        await talk.StartAsync();
        await Wait.UntilAsync("messages to be acknowledged", () => Task.FromResult(talk.Acknowledged > 20 ? "" : $"{talk.Acknowledged}"), TimeSpan.FromMinutes(1));
        var clock = Stopwatch.StartNew();
        await _cluster.StopAsync("postgres");
        talk.ForgetSlowest();
        await _fleet.LeaveAsync(Scale.Users / 50);
        var told = await Wait.UntilAsync("watchers told of who left", () => Task.FromResult(
            _fleet.Watchers.SelectMany(watcher => watcher.UserIds.Where(_fleet.Left.ContainsKey).Select(watcher.StatusOf)).All(status => status == "offline")
                ? "" : "not yet"), TimeSpan.FromSeconds(20));

        var write = Stopwatch.StartNew();
        var (status, retryAfter) = await _fleet.Writers[0].TryOnceAsync();
        write.Stop();
        Assert.Equal(503, status);
        Assert.NotNull(retryAfter);
        // The stores give up after 1.6 s, the driver by itself after 15 s.
        Assert.True(write.Elapsed < TimeSpan.FromSeconds(10), $"503 came after {write.Elapsed.TotalSeconds:F1} s.");

        var left = Scale.Outage - clock.Elapsed;
        if (left > TimeSpan.Zero) await Task.Delay(left);
        var slowest = talk.Slowest;
        await _cluster.StartAsync("postgres");
        var converged = await WaitUntilRightAsync("after PostgreSQL is back");

        // Each sender has repeated its message until it was acknowledged.
        var acknowledged = talk.Acknowledged;
        await Wait.UntilAsync("messages to be acknowledged again", () => Task.FromResult(talk.Acknowledged > acknowledged + 20 ? "" : "none"), TimeSpan.FromMinutes(1));
        await talk.StopAsync();
        await Wait.UntilAsync("answers, logs and database to agree", talk.FindFaultsAsync, TimeSpan.FromMinutes(1));
        output.WriteLine($"PostgreSQL away: slowest answer to a send {slowest.TotalSeconds:F1} s; {talk.Acknowledged} messages acknowledged in all");
        Assert.True(slowest < s_answered, $"A send was answered after {slowest.TotalSeconds:F1} s.");
        _fleet.ComeBack();
        output.WriteLine($"PostgreSQL away: watchers told after {told.TotalSeconds:F1} s; a write answered 503 after {write.Elapsed.TotalSeconds:F1} s");
        await VerifyAsync($"PostgreSQL stopped for {clock.Elapsed.TotalSeconds:F0} s", converged);
    }

    [Fact]
    public async Task RedisKilledAndBackEmpty_IsFullyRestored()
    {
        await WaitUntilRightAsync("before Redis dies");
        var answered = _fleet.Writers.Sum(writer => writer.AnsweredCount);
        var clock = Stopwatch.StartNew();
        await _cluster.KillAsync("redis");
        await Task.Delay(Scale.Outage);
        Assert.True(_fleet.Writers.Sum(writer => writer.AnsweredCount) > answered, "No write was answered while Redis was away.");
        _cluster.EmptyRedis();
        await _cluster.StartAsync("redis");
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
        var connects = _fleet.Sockets.Values.Sum(socket => socket.Connects);
        var after = await MemoryAfterAsync(Scale.MeasuredRounds);
        connects = _fleet.Sockets.Values.Sum(socket => socket.Connects) - connects;

        foreach (var (name, bytes) in before)
        {
            var growth = $"{name} grew from {bytes >> 10} to {after[name] >> 10} KiB over {connects} connects.";
            output.WriteLine(growth);
            Assert.True(after[name] - bytes <= (long)BytesPerConnect * connects, growth);
        }
    });

    // The lowest of some rounds with no client connected: uncollected garbage varies, retained memory stays.
    private async Task<Dictionary<string, long>> MemoryAfterAsync(int rounds)
    {
        var lowest = LocalCluster.Processes.ToDictionary(name => name, _ => long.MaxValue);
        for (var round = 1; round <= rounds; round++)
        {
            await _fleet.LeaveAsync(_fleet.Users.Length);
            await WaitUntilRightAsync($"after all have left, round {round}");
            if (round > rounds - Scale.MemoryLooks)
            {
                await Task.Delay(Scale.UntilGrainsAreGone);
                foreach (var name in LocalCluster.Processes) lowest[name] = Math.Min(lowest[name], _cluster.OwnBytes(name));
            }

            _fleet.ComeBack();
            await WaitUntilRightAsync($"after all are back, round {round}");
        }

        return lowest;
    }

    private Task HurtAsync(string verb, string name) => verb switch
    {
        "kill" => _cluster.SignalAsync(name, "KILL"),
        "freeze" => _cluster.SignalAsync(name, "STOP"),
        "cut" => _cluster.CutAsync(name),
        _ => throw new ArgumentException(verb),
    };

    private async Task HealAsync(string verb, string name)
    {
        if (verb == "cut") await _cluster.MendAsync(name);
        if (verb != "freeze") return;
        await _cluster.SignalAsync(name, "CONT");

        // A silo resumes among others that have declared it dead. It must find out, and end itself.
        if (!name.StartsWith("silo", StringComparison.Ordinal)) return;
        await Wait.UntilAsync($"{name} to end itself", () => Task.FromResult(_cluster.IsAlive(name) ? "it runs" : ""), TimeSpan.FromMinutes(1));
    }

    private async Task<TimeSpan> WaitUntilRightAsync(string when)
    {
        try
        {
            return await Wait.UntilAsync($"everything right {when}", async () =>
                await _checker.FindFaultsAsync() is { Length: > 0 } faults ? faults : await _checker.FindWrongLastSeenAsync(), Scale.StartTimeout);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\n{_cluster.LogTails()}", e);
        }
    }

    private async Task WaitUntilReadyAsync()
    {
        foreach (var name in LocalCluster.Processes)
        {
            await Wait.UntilAsync($"{name} to be ready", async () =>
            {
                using var answer = await _fleet.Http.GetAsync(new Uri(_cluster.AddressOf(name), "/health/ready"));
                if (!answer.IsSuccessStatusCode) return await answer.Content.ReadAsStringAsync();
                return !name.StartsWith("front-end", StringComparison.Ordinal) || await _cluster.BalancerStateAsync(name) == "UP" ? "" : "not UP for HAProxy";
            }, TimeSpan.FromMinutes(2));
        }
    }

    /// <summary>After a quiet time: the rules that must hold after every fault.</summary>
    private async Task VerifyAsync(string fault, TimeSpan converged)
    {
        await Task.Delay(Scale.Quiet);
        await WaitUntilRightAsync($"some time after {fault}");
        var (answered, lost) = await _checker.CountLostWritesAsync();
        var falseOfflines = _checker.CountFalseOfflines();
        output.WriteLine(
            $"{fault}: {_fleet.Users.Length} users; right again after {converged.TotalSeconds:F1} s; writes answered {answered}, lost {lost}; " +
            $"failed {_fleet.Writers.Sum(writer => writer.Failures.Count)}; false offlines {falseOfflines}; " +
            $"connects {_fleet.Sockets.Values.Sum(socket => socket.Connects)}");
        Assert.Equal(0, lost);
        Assert.True(falseOfflines == 0, _checker.DescribeFalseOfflines());
    }
}
