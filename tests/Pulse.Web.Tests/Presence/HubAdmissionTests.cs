using System.Diagnostics;
using System.Net;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Presence;

/// <summary>One socket a second, so that a few connects are a storm.</summary>
public sealed class HubAdmissionTests(HubAdmissionTests.Application pulse) : IClassFixture<HubAdmissionTests.Application>
{
    public sealed class Application() : PulseApplication([KeyValuePair.Create("Pulse:Presence:ConnectsPerSecond", "1")]);

    private const string Negotiate = "/hubs/pulse/negotiate?negotiateVersion=1";

    [Fact]
    public async Task ConnectsBeyondTheQueue_AreRefused_AndTheOthersAdmitted()
    {
        var clock = Stopwatch.StartNew();
        var attempts = Enumerable.Range(0, 40).Select(_ => NegotiateAsync(Guid.NewGuid())).ToArray();
        using (var live = await pulse.Anonymous.GetAsync("/health/live")) Assert.Equal(HttpStatusCode.OK, live.StatusCode);
        var answers = await Task.WhenAll(attempts);

        // The five of the queue, and one at once unless another test has just used that place. Above that, one a second for as long as the
        // forty took, and one each for the seconds that had begun before and that ended after them.
        var admitted = answers.Count(answer => answer.StatusCode == HttpStatusCode.OK);
        Assert.InRange(admitted, 5, 3 + (int)clock.Elapsed.TotalSeconds);
        foreach (var refused in answers.Where(answer => answer.StatusCode != HttpStatusCode.OK))
        {
            await refused.ReadProblemAsync(HttpStatusCode.ServiceUnavailable, "unavailable");
            Assert.NotNull(refused.Headers.RetryAfter);
        }

        foreach (var answer in answers) answer.Dispose();
    }

    [Fact]
    public async Task Connect_WithoutAToken_UsesNoPlace()
    {
        var attempts = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => pulse.Anonymous.PostAsync(Negotiate, null)));

        Assert.All(attempts, answer => Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode));
        foreach (var answer in attempts) answer.Dispose();
    }

    [Fact]
    public async Task RequestOfAnExistingConnection_UsesNoPlace_AnEmptyIdDoes()
    {
        foreach (var (id, expected) in new[] { ("none", HttpStatusCode.NotFound), ("", HttpStatusCode.ServiceUnavailable) })
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => AnybodyAsync(client => client.GetAsync($"/hubs/pulse?id={id}"))));
            Assert.Contains(answers, answer => answer.StatusCode == expected);
            Assert.Equal(expected == HttpStatusCode.NotFound, answers.All(answer => answer.StatusCode == HttpStatusCode.NotFound));
            foreach (var answer in answers) answer.Dispose();
        }
    }

    [Theory]
    [InlineData(Negotiate)]
    [InlineData(Negotiate + "&id=x")]
    [InlineData("/hubs/pulse/negotiate/?negotiateVersion=1&id=x")]
    public async Task ConnectsOfOneUser_AreLimitedBeforeTheSharedPlaces(string path)
    {
        await using var generous = new Generous();
        await generous.InitializeAsync();
        var flooding = Guid.NewGuid();
        var clock = Stopwatch.StartNew();
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => NegotiateAsync(generous, flooding, path)));

        var refused = answers.Where(answer => answer.StatusCode == HttpStatusCode.TooManyRequests).ToArray();

        // Twenty at once, and five a second.
        var seconds = 1 + (int)clock.Elapsed.TotalSeconds;
        Assert.InRange(answers.Count(answer => answer.StatusCode == HttpStatusCode.OK), 20, 20 + (5 * seconds));
        Assert.NotEmpty(refused);
        Assert.All(answers, answer => Assert.True(answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.TooManyRequests));
        Assert.NotNull(refused[0].Headers.RetryAfter);
        await refused[0].ReadProblemAsync(HttpStatusCode.TooManyRequests, "too-many-requests");

        using var other = await NegotiateAsync(generous, Guid.NewGuid());
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        foreach (var answer in answers) answer.Dispose();
    }

    private sealed class Generous() : PulseApplication([KeyValuePair.Create("Pulse:Presence:ConnectsAtOncePerUser", "20")]), IAsyncDisposable
    {
        async ValueTask IAsyncDisposable.DisposeAsync() => await DisposeAsync();
    }

    private Task<HttpResponseMessage> NegotiateAsync(Guid userId) => NegotiateAsync(pulse, userId);

    private static async Task<HttpResponseMessage> NegotiateAsync(PulseApplication application, Guid userId, string path = Negotiate)
    {
        using var client = application.As(TestTokens.Hs256(TestTokens.Claims(userId)));
        return await client.PostAsync(path, null);
    }

    private async Task<HttpResponseMessage> AnybodyAsync(Func<HttpClient, Task<HttpResponseMessage>> send)
    {
        using var client = pulse.As(TestTokens.Hs256(TestTokens.Claims(Guid.NewGuid())));
        return await send(client);
    }
}
