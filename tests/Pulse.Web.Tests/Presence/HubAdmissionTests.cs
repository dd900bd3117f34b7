using System.Net;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Presence;

/// <summary>One socket a second, so that a handful is a storm.</summary>
public sealed class HubAdmissionTests(HubAdmissionTests.Application pulse) : IClassFixture<HubAdmissionTests.Application>
{
    public sealed class Application() : PulseApplication([KeyValuePair.Create("Pulse:Presence:ConnectsPerSecond", "1")]);

    [Fact]
    public async Task MoreThanTheQueueHolds_AreSentAwayAndRestGoesOn()
    {
        // No token: who is let in is told so, and that is all that is asked here.
        var attempts = Enumerable.Range(0, 40).Select(_ => pulse.Anonymous.GetAsync("/hubs/pulse")).ToArray();
        using (var live = await pulse.Anonymous.GetAsync("/health/live")) Assert.Equal(HttpStatusCode.OK, live.StatusCode);
        var answers = await Task.WhenAll(attempts);

        // One at once and one a second, for as long as the five of the queue took and the forty to arrive.
        var admitted = answers.Count(answer => answer.StatusCode == HttpStatusCode.Unauthorized);
        Assert.InRange(admitted, 6, 20);
        foreach (var refused in answers.Where(answer => answer.StatusCode != HttpStatusCode.Unauthorized))
        {
            await refused.ReadProblemAsync(HttpStatusCode.ServiceUnavailable, "unavailable");
            Assert.NotNull(refused.Headers.RetryAfter);
        }

        foreach (var answer in answers) answer.Dispose();
    }
}
