using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Grains.Tests;
using Pulse.Users;
using Pulse.Web.Tests.Auth;
using Xunit.Abstractions;

namespace Pulse.Web.Tests.Presence;

/// <summary>The intervals between renewals of one lease, for sockets that connect at any time of an interval.</summary>
public sealed class LeaseRenewalTests(LeaseRenewalTests.Renewing pulse, ITestOutputHelper output) : IClassFixture<LeaseRenewalTests.Renewing>
{
    private const int Sockets = 60;

    // A quarter of the lifetime of a key, which the fixture sets.
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(5);

    [Fact]
    public Task Leases_OfSocketsThatConnectOverAnInterval_AreRenewedWithinTheirOwnInterval() => Runs.OneOfThreePassesAsync(async () =>
    {
        pulse.Calls.Clear();
        var sockets = new List<HubClient>();
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < Sockets; i++)
        {
            await Eventually.AsyncTrue("the socket's time has come", () => Task.FromResult(clock.Elapsed >= s_interval * i / Sockets));
            sockets.Add(await HubClient.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims(Guid.CreateVersion7()))));
        }

        await Eventually.AsyncTrue(
            "every lease is renewed twice", () => Task.FromResult(pulse.Calls.Count == Sockets && pulse.Calls.Values.All(calls => calls.Count >= 3)));

        // Nine of ten, because a busy machine may delay single ones. One round over a list of all sockets has gaps of up to two intervals.
        var gaps = pulse.Calls.Values
            .SelectMany(calls => calls.Zip(calls.Skip(1), (one, next) => Stopwatch.GetElapsedTime(one, next) / s_interval))
            .Order().ToArray();
        output.WriteLine($"gaps in intervals: median {gaps[gaps.Length / 2]:F2}, p90 {gaps[gaps.Length * 9 / 10]:F2}, longest {gaps[^1]:F2}");
        foreach (var socket in sockets) await socket.DisposeAsync();
        Assert.True(gaps[gaps.Length * 9 / 10] < 1.35, $"One of ten leases is renewed after {gaps[gaps.Length * 9 / 10]:F2} intervals or more.");
    });

    /// <summary>Records when each user's grain received a lease.</summary>
    public sealed class Renewing() : PulseApplication(new Dictionary<string, string> { ["Pulse:Presence:TimeToLive"] = "00:00:20" })
    {
        internal ConcurrentDictionary<GrainId, ConcurrentQueue<long>> Calls { get; } = new();

        private protected override void Adjust(IServiceCollection services) => services.AddSingleton<IIncomingGrainCallFilter>(new Filter(Calls));

        private sealed class Filter(ConcurrentDictionary<GrainId, ConcurrentQueue<long>> calls) : IIncomingGrainCallFilter
        {
            public Task Invoke(IIncomingGrainCallContext context)
            {
                if (context.InterfaceMethod.Name is nameof(IUserGrain.ConnectAsync) or nameof(IUserGrain.RenewAsync))
                {
                    calls.GetOrAdd(context.TargetId, _ => new()).Enqueue(Stopwatch.GetTimestamp());
                }

                return context.Invoke();
            }
        }
    }
}
