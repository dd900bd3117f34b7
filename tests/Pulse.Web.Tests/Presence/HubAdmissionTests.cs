using System.Net;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Presence;

/// <summary>One socket a second, so that a handful is a storm.</summary>
public sealed class HubAdmissionTests(HubAdmissionTests.Application pulse) : IClassFixture<HubAdmissionTests.Application>
{
    public sealed class Application() : PulseApplication([KeyValuePair.Create("Pulse:Presence:ConnectsPerSecond", "1")]);

    private const string Negotiate = "/hubs/pulse/negotiate?negotiateVersion=1";

    [Fact]
    public async Task MoreThanTheQueueHolds_AreSentAwayAndRestGoesOn()
    {
        using var ada = pulse.As(TestTokens.Hs256(TestTokens.Claims()));
        var attempts = Enumerable.Range(0, 40).Select(_ => ada.PostAsync(Negotiate, null)).ToArray();
        using (var live = await pulse.Anonymous.GetAsync("/health/live")) Assert.Equal(HttpStatusCode.OK, live.StatusCode);
        var answers = await Task.WhenAll(attempts);

        // One at once and one a second, for as long as the five of the queue took and the forty to arrive.
        var admitted = answers.Count(answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.InRange(admitted, 6, 20);
        foreach (var refused in answers.Where(answer => answer.StatusCode != HttpStatusCode.OK))
        {
            await refused.ReadProblemAsync(HttpStatusCode.ServiceUnavailable, "unavailable");
            Assert.NotNull(refused.Headers.RetryAfter);
        }

        foreach (var answer in answers) answer.Dispose();
    }

    [Fact]
    public async Task WithoutAToken_UsesUpNoPlace()
    {
        var attempts = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => pulse.Anonymous.PostAsync(Negotiate, null)));

        Assert.All(attempts, answer => Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode));
        foreach (var answer in attempts) answer.Dispose();
    }

    [Fact]
    public async Task OfAConnectionThatThereIs_UsesUpNoPlace_AnEmptyIdDoes()
    {
        using var ada = pulse.As(TestTokens.Hs256(TestTokens.Claims()));

        foreach (var (id, expected) in new[] { ("none", HttpStatusCode.NotFound), ("", HttpStatusCode.ServiceUnavailable) })
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => ada.GetAsync($"/hubs/pulse?id={id}")));
            Assert.Contains(answers, answer => answer.StatusCode == expected);
            Assert.Equal(expected == HttpStatusCode.NotFound, answers.All(answer => answer.StatusCode == HttpStatusCode.NotFound));
            foreach (var answer in answers) answer.Dispose();
        }
    }
}
