using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Grains.Tests;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Presence;
using Pulse.Web.Tests.Sessions;
using Pulse.Web.Tokens;
using Pulse.Web.Tests.Users;
using Xunit.Abstractions;

namespace Pulse.Web.Tests.TwoNodes;

[Collection(TimedOnTwoNodes.Name)]
public sealed class RevocationTests(TwoNodes nodes, ITestOutputHelper output)
{
    private const int Sessions = 200;
    private const int AtOnce = 4;

    // The first revocations wait for the compiler, so the measurement leaves them out.
    private const int WarmUp = 8;

    private const int Removals = 20;

    /// <summary>From the request on one node until the other node's client has been notified and closed.</summary>
    [Fact]
    public Task EndedSession_ClosesItsSocketOnTheOtherNode_WithinASecond() => Runs.OneOfThreePassesAsync(async () =>
    {
        var times = new ConcurrentBag<TimeSpan>();
        await Parallel.ForEachAsync(Enumerable.Range(0, WarmUp + Sessions), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) =>
        {
            using var browser = await Browser.SignInAsync(nodes.A);
            var session = Assert.Single(await browser.Sessions.ListAsync());
            var user = (await browser.User.GetProfileAsync())!;
            var token = nodes.A.Services.GetRequiredService<TokenIssuer>().IssueForSession(user, session.Id, session.ExpiresAt).Value;
            await using var socket = await HubClient.ConnectAsync(nodes.B.Address, token);

            var clock = Stopwatch.StartNew();
            var asked = i % 2 == 0 ? browser.DeleteAsync($"/auth/sessions/{session.Id}") : browser.PostAsync("/auth/signout");
            var ended = await socket.NextAsync("SessionEnded");
            await socket.Closed;
            if (i >= WarmUp) times.Add(clock.Elapsed);

            Assert.Equal("signed-out", ended.GetProperty("reason").GetString());
            using var answer = await asked;
            Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        });

        var spread = new Percentiles(times);
        output.WriteLine($"From revoke to closed: {spread}");
        Assert.Equal(Sessions, times.Count);
        Assert.InRange(spread.At(99), TimeSpan.Zero, TimeSpan.FromSeconds(1));
    });

    /// <summary>
    /// From the erasure or disabling on one node until sockets on both nodes are notified and closed, and tokens are refused on both.
    /// </summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public Task RemovedUser_ClosesItsSocketsOnBothNodes_AndItsTokensAreRefused_WithinASecond(bool erase) => Runs.OneOfThreePassesAsync(async () =>
    {
        var times = new ConcurrentBag<TimeSpan>();
        await Parallel.ForEachAsync(Enumerable.Range(0, Removals), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (_, _) =>
        {
            using var browser = await Browser.SignInAsync(nodes.A);
            var token = TestTokens.Hs256(TestTokens.Claims(browser.UserId));
            await using var here = await HubClient.ConnectAsync(nodes.A.Address, token);
            await using var there = await HubClient.ConnectAsync(nodes.B.Address, token);
            await using var watcher = await HubClient.ConnectAsync(nodes.B.Address, TestTokens.Hs256(TestTokens.Claims()));
            await watcher.WatchAsync(browser.UserId);

            var clock = Stopwatch.StartNew();
            var services = nodes.A.Services;
            var done = erase ? services.EraseUserAsync(browser.UserId) : services.SetUserDisabledAsync(browser.UserId, disabled: true);
            foreach (var socket in new[] { here, there })
            {
                Assert.Equal("user-removed", (await socket.NextAsync("SessionEnded")).GetProperty("reason").GetString());
                await socket.Closed;
            }

            await watcher.StatusAsync(browser.UserId, "offline");
            Assert.True(await done);
            times.Add(clock.Elapsed);
            foreach (var node in new[] { nodes.A, nodes.B })
            {
                using var client = node.As(token);
                using var me = await client.GetAsync("/auth/me", CancellationToken.None);
                using var presence = await client.GetAsync($"/presence?ids={Guid.NewGuid()}", CancellationToken.None);
                Assert.Equal([HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized], [me.StatusCode, presence.StatusCode]);
            }

            Assert.Equal("offline", watcher.StatusesOf(browser.UserId)[^1]);
        });

        var spread = new Percentiles(times);
        output.WriteLine($"From {(erase ? "erasing" : "disabling")} to closed on both nodes: {spread}");
        Assert.InRange(spread.At(90), TimeSpan.Zero, TimeSpan.FromSeconds(1));
    });
}
