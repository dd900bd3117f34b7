using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.AspNetCore.SignalR.Client;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Presence;
using Xunit.Abstractions;

namespace Pulse.Web.Tests.TwoNodes;

[Collection(TimedOnTwoNodes.Name)]
public sealed class FanOutTests(TwoNodes nodes, ITestOutputHelper output)
{
    private const int Watchers = 5_000;
    private const int PerUser = 20;
    private const int ConnectingAtOnce = 32;

    // Far above the usual time, for busy machines. The report has the measured time.
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task ChangeOfAUserWatchedByThousands_ReachesAll_ByOneMessagePerFrontEnd()
    {
        var ada = Guid.CreateVersion7();
        await using var adas = await HubClient.ConnectAsync(nodes.A.Address, Token(ada));
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        var sockets = new ConcurrentBag<WatchingSocket>();
        using var pinging = new CancellationTokenSource();
        var pings = PingAsync(sockets, pinging.Token);
        try
        {
            var clock = Stopwatch.StartNew();
            string[] tokens = [.. Enumerable.Range(0, Watchers / PerUser).Select(_ => Token(Guid.CreateVersion7()))];
            await Parallel.ForEachAsync(
                Enumerable.Range(0, Watchers),
                new ParallelOptions { MaxDegreeOfParallelism = ConnectingAtOnce, CancellationToken = timeout.Token },
                async (i, cancellation) =>
                {
                    var node = i % 2 == 0 ? nodes.A : nodes.B;
                    sockets.Add(await WatchingSocket.ConnectAsync(node.Address, tokens[i % tokens.Length], ada, cancellation));
                });
            output.WriteLine($"{sockets.Count} watch after {clock.Elapsed.TotalSeconds:F1} s");
            Assert.Empty(nodes.Told.Of(ada));

            string[] changes = ["busy", "away", "online"];
            foreach (var status in changes)
            {
                var seen = sockets.Select(socket => socket.SeesAsync(status, timeout.Token)).ToArray();
                var changedAt = Stopwatch.GetTimestamp();
                await adas.Connection.InvokeAsync("SetStatus", status, null, timeout.Token);
                var times = new Percentiles((await Task.WhenAll(seen)).Select(at => Stopwatch.GetElapsedTime(changedAt, at)));
                output.WriteLine($"From change to watcher: {times}");
                Assert.InRange(times.At(99), TimeSpan.Zero, s_bound);
            }

            var told = nodes.Told.Of(ada).GroupBy(frontEnd => frontEnd).ToArray();
            Assert.Equal([changes.Length, changes.Length], told.Select(frontEnd => frontEnd.Count()));
        }
        finally
        {
            await pinging.CancelAsync();
            await pings;
            foreach (var socket in sockets) socket.Dispose();
        }
    }

    private static async Task PingAsync(ConcurrentBag<WatchingSocket> sockets, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            await Task.Delay(TimeSpan.FromSeconds(5), cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            foreach (var socket in sockets.ToArray()) await socket.PingAsync(CancellationToken.None);
        }
    }

    private static string Token(Guid userId) => TestTokens.Hs256(TestTokens.Claims(userId));
}
