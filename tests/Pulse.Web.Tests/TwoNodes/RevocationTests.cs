using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Auth;
using Pulse.Web.Tests.Presence;
using Pulse.Web.Tests.Sessions;
using Xunit.Abstractions;

namespace Pulse.Web.Tests.TwoNodes;

[Collection(TimedOnTwoNodes.Name)]
public sealed class RevocationTests(TwoNodes nodes, ITestOutputHelper output)
{
    private const int Sessions = 200;
    private const int AtOnce = 4;

    /// <summary>From the request on one node until the client of the other has been told and closed.</summary>
    [Fact]
    public async Task EndedSession_ClosesItsSocketOnTheOtherNode_WithinASecond()
    {
        var times = new ConcurrentBag<TimeSpan>();
        await Parallel.ForEachAsync(Enumerable.Range(0, Sessions), new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (i, _) =>
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
            times.Add(clock.Elapsed);

            Assert.Equal("signed-out", ended.GetProperty("reason").GetString());
            using var answer = await asked;
            Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        });

        var spread = new Percentiles(times);
        output.WriteLine($"From revoke to closed: {spread}");
        Assert.Equal(Sessions, times.Count);
        Assert.InRange(spread.At(99), TimeSpan.Zero, TimeSpan.FromSeconds(1));
    }
}
