using System.Diagnostics;
using Xunit.Abstractions;

namespace Pulse.Cluster.Tests;

/// <summary>Faults in a cluster under load. After each: no answered write lost, no ghost, nobody shown as offline who was here.</summary>
public sealed class FaultTests(ClusterFixture fixture, ITestOutputHelper output) : IClassFixture<ClusterFixture>
{
    private readonly LocalCluster _cluster = fixture.Cluster;
    private readonly Fleet _fleet = fixture.Fleet;
    private readonly Checker _checker = fixture.Checker;

    /// <summary>The processes to kill, one after the other or all at once (with "+").</summary>
    public static TheoryData<string> Kills => Scale.IsLong
        ? ["silo-1", "silo-2", "silo-3", "front-end-1", "front-end-2", "silo-1+silo-2+silo-3"]
        : ["silo-2", "front-end-1"];

    [Theory, MemberData(nameof(Kills))]
    public async Task Kill9_LosesNothing(string names)
    {
        await _fleet.LeaveAsync(Scale.Users / 50);
        await WaitUntilRightAsync("before the kill");

        var clock = Stopwatch.StartNew();
        foreach (var name in names.Split('+')) await _cluster.KillAsync(name);

        // Some leave while nobody may be there to hear it. A front end that dies takes the knowledge of its last seconds with it, so not there.
        if (!names.Contains("front-end")) await _fleet.LeaveAsync(Scale.Users / 50);
        if (names.Contains('+'))
        {
            foreach (var name in names.Split('+')) await _cluster.StartAsync(name);
        }

        await Task.Delay(TimeSpan.FromSeconds(1));
        await WaitUntilRightAsync($"after kill -9 of {names}");
        var converged = clock.Elapsed;

        foreach (var name in names.Split('+')) await _cluster.StartAsync(name);
        await WaitUntilReadyAsync();
        _fleet.ComeBack();
        await VerifyAsync($"kill -9 of {names}", converged);
    }

    [Fact]
    public async Task RollingRestart_IsNotSeen()
    {
        var failuresBefore = _fleet.Writers.Sum(writer => writer.Failures.Count);
        var clock = Stopwatch.StartNew();
        foreach (var name in new[] { "silo-1", "silo-2", "silo-3", "front-end-1", "front-end-2" })
        {
            await _cluster.StopAsync(name);
            await _cluster.StartAsync(name);
            await WaitUntilReadyAsync();
        }

        var failures = _fleet.Writers.SelectMany(writer => writer.Failures).Skip(failuresBefore).ToArray();
        Assert.True(failures.Length == 0, $"{failures.Length} requests failed: {string.Join(' ', failures.Take(20))}\n{_cluster.LogTails()}");
        await WaitUntilRightAsync("after a rolling restart");
        await VerifyAsync("rolling restart of all five", clock.Elapsed);
    }

    [Fact]
    public async Task RedisFlushed_KeysAreBackWithinAThirdOfTheirLife()
    {
        await WaitUntilRightAsync("before FLUSHALL");
        await using (var redis = await _cluster.OpenRedisAsync()) await redis.GetServers()[0].ExecuteAsync("FLUSHDB");

        var converged = await WaitUntilRightAsync("after FLUSHALL");
        Assert.True(converged < TimeSpan.FromSeconds(30), $"Keys were right after {converged.TotalSeconds:F1} s.");
        await VerifyAsync("FLUSHALL", converged);
    }

    private async Task<TimeSpan> WaitUntilRightAsync(string when)
    {
        try
        {
            return await Wait.UntilAsync($"everything right {when}", async () =>
                await _checker.FindFaultsAsync() is { Length: > 0 } faults ? faults : await _checker.FindWrongLastSeenAsync(), Scale.Patience);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\n{_cluster.LogTails()}", e);
        }
    }

    private async Task WaitUntilReadyAsync()
    {
        foreach (var name in new[] { "silo-1", "silo-2", "silo-3", "front-end-1", "front-end-2" })
        {
            await Wait.UntilAsync($"{name} to be ready", async () =>
            {
                using var answer = await _fleet.Http.GetAsync(new Uri(_cluster.AddressOf(name), "/health/ready"));
                if (!answer.IsSuccessStatusCode) return await answer.Content.ReadAsStringAsync();
                return !name.StartsWith("front-end", StringComparison.Ordinal) || await _cluster.BalancerStateAsync(name) == "UP" ? "" : "not UP for HAProxy";
            }, TimeSpan.FromMinutes(2));
        }
    }

    /// <summary>After one time to live of quiet: what must hold whatever happened.</summary>
    private async Task VerifyAsync(string fault, TimeSpan converged)
    {
        await Task.Delay(Scale.TimeToLive);
        await WaitUntilRightAsync($"one time to live after {fault}");
        var (answered, lost) = await _checker.CountLostWritesAsync();
        var falseOfflines = _checker.CountFalseOfflines();
        output.WriteLine(
            $"{fault}: {_fleet.Users.Length} users; right again after {converged.TotalSeconds:F1} s; writes answered {answered}, lost {lost}; " +
            $"failed {_fleet.Writers.Sum(writer => writer.Failures.Count)}; false offlines {falseOfflines}; " +
            $"connects {_fleet.Sockets.Values.Sum(socket => socket.Connects)}");
        Assert.Equal(0, lost);
        Assert.Equal(0, falseOfflines);
    }
}
