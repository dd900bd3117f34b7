using System.Net;
using Xunit.Abstractions;

namespace Pulse.Cluster.Tests;

/// <summary>A class of tests on the shared cluster. Each test leaves the cluster in order.</summary>
[Collection(SharedCluster.Name)]
public abstract class ClusterTests(ClusterFixture fixture, ITestOutputHelper output) : IAsyncLifetime
{
    private protected LocalCluster Cluster { get; } = fixture.Cluster;

    private protected Fleet Fleet { get; } = fixture.Fleet;

    private protected Checker Checker { get; } = fixture.Checker;

    private protected ITestOutputHelper Output => output;

    /// <summary>The cluster and the fleet are shared, but each test counts its own false states.</summary>
    public Task InitializeAsync()
    {
        Fleet.BeginTest();
        return Task.CompletedTask;
    }

    public Task DisposeAsync() => Task.CompletedTask;

    /// <summary>Waits until Redis, PostgreSQL, <c>GET /presence</c> and the watchers show the true state.</summary>
    private protected async Task<TimeSpan> WaitUntilRightAsync(string when)
    {
        try
        {
            return await Wait.UntilAsync($"everything right {when}", async () =>
                await Checker.FindFaultsAsync() is { Length: > 0 } faults ? faults : await Checker.FindWrongLastSeenAsync(), Scale.StartTimeout);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\n{Cluster.LogTails()}", e);
        }
    }

    /// <summary>Waits until every process, and the balancer, says that it is ready.</summary>
    private protected async Task WaitUntilReadyAsync()
    {
        foreach (var name in LocalCluster.Processes)
        {
            await Wait.UntilAsync($"{name} to be ready", async () =>
            {
                using var answer = await Fleet.Http.GetAsync(new Uri(Cluster.AddressOf(name), "/health/ready"));
                if (!answer.IsSuccessStatusCode) return await answer.Content.ReadAsStringAsync();
                return !name.StartsWith("front-end", StringComparison.Ordinal) || await Cluster.BalancerStateAsync(name) == "UP" ? "" : "not UP for HAProxy";
            }, TimeSpan.FromMinutes(2));
        }
    }

    /// <summary>After a quiet time: the rules that must hold after every fault.</summary>
    private protected async Task VerifyAsync(string fault, TimeSpan converged)
    {
        await Task.Delay(Scale.Quiet);
        await WaitUntilRightAsync($"some time after {fault}");
        var (answered, lost) = await Checker.CountLostWritesAsync();
        var falseOfflines = Checker.CountFalseOfflines();
        Output.WriteLine(
            $"{fault}: {Fleet.Users.Length} users; right again after {converged.TotalSeconds:F1} s; writes answered {answered}, lost {lost}; " +
            $"failed {Fleet.Writers.Sum(writer => writer.Failures.Count)}; false offlines {falseOfflines}; " +
            $"connects {Fleet.Sockets.Values.Sum(socket => socket.Connects)}");
        Assert.Equal(0, lost);
        Assert.True(falseOfflines == 0, Checker.DescribeFalseOfflines());
    }
}

/// <summary>All tests of this assembly use one cluster, one after the other.</summary>
[CollectionDefinition(Name)]
public sealed class SharedCluster : ICollectionFixture<ClusterFixture>
{
    public const string Name = "Cluster";
}
