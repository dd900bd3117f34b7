using System.Net;

namespace Pulse.Web.Tests.Http;

/// <summary>Answers that come from no endpoint: routing's own, and headers on all answers.</summary>
[Collection(SharedPulse.Name)]
public sealed class ErrorAnswerTests(PulseApplication pulse)
{
    [Theory]
    [InlineData("application/json")]
    [InlineData("image/png")]
    public async Task Request_NoSuchRoute_IsAProblemWhateverAProgramAccepts(string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/no/such/route");
        request.Headers.Accept.ParseAdd(accept);
        using var response = await pulse.Anonymous.SendAsync(request);
        await response.ReadProblemAsync(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task Request_OtherMethod_SaysWhichAreAllowed()
    {
        using var response = await pulse.Anonymous.DeleteAsync("/auth/accounts");
        await response.ReadProblemAsync(HttpStatusCode.MethodNotAllowed, "method-not-allowed");
        Assert.Equal(["GET"], response.Content.Headers.Allow);
    }

    [Fact]
    public async Task Request_Any_CarriesSecurityHeadersAndNoServerName()
    {
        using var response = await pulse.Anonymous.GetAsync("/health/live");

        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("no-referrer", response.Headers.GetValues("Referrer-Policy").Single());
        Assert.Contains("frame-ancestors 'none'", response.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        Assert.False(response.Headers.Contains("Server"));
    }

    [Fact]
    public async Task Request_FromAnotherOrigin_IsNotAllowedByDefault()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/health/live");
        request.Headers.Add("Origin", "https://elsewhere.example");
        using var response = await pulse.Anonymous.SendAsync(request);
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData("/health/live", "{\"status\":\"healthy\",\"parts\":{}}")]
    [InlineData("/health/ready", "{\"status\":\"healthy\",\"parts\":{\"silo\":{\"status\":\"healthy\"},\"database\":{\"status\":\"healthy\"},\"sign-in\":{\"status\":\"healthy\"},\"front-end\":{\"status\":\"healthy\"}}}")]
    public async Task Health_AllWell_NamesEachPart(string path, string body)
    {
        using var response = await pulse.Anonymous.GetAsync(path);

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(body, await response.Content.ReadAsStringAsync());
    }
}
