using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Pulse.Silo.Startup;
using Pulse.Web.Pages;
using Pulse.Web.Sessions;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests;

/// <summary>The differences outside Development.</summary>
public sealed class ProductionTests(ProductionTests.Application pulse) : IClassFixture<ProductionTests.Application>
{
    public sealed class Application() : PulseApplication([KeyValuePair.Create("environment", "Production")]);

    [Fact]
    public async Task DevSignIn_IsNotMapped()
    {
        using var response = await pulse.Anonymous.PostJsonAsync("/auth/dev", """{"email":"ada@example.com"}""");
        await response.ReadProblemAsync(HttpStatusCode.NotFound, "not-found");
    }

    [Theory]
    [InlineData("/example")]
    [InlineData("/scalar")]
    [InlineData("/dev/mail")]
    public async Task PageForDevelopers_IsNotMapped(string path)
    {
        using var response = await pulse.Anonymous.GetAsync(path);
        await response.ReadProblemAsync(HttpStatusCode.NotFound, "not-found");
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("203.0.113.7", false)]
    public async Task StartPage_IsForUsers_AndShowsHealthToOperatorsOnly(string? client, bool isOperator)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "Accept", "text/html" } } };
        if (client is not null) request.Headers.Add("X-Forwarded-For", client);
        using var response = await pulse.Anonymous.SendAsync(request);
        var page = await response.Content.ReadAsStringAsync();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("href=\"/signin\"", page, StringComparison.Ordinal);
        Assert.Equal(isOperator, page.Contains("id=\"health-summary\"", StringComparison.Ordinal));
        Assert.Equal(isOperator, page.Contains("<dt>database</dt>", StringComparison.Ordinal));
        Assert.All(["/example", "/scalar", "/openapi", "For developers"], text => Assert.DoesNotContain(text, page, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/signin", HttpStatusCode.BadRequest)]
    [InlineData("/dashboard", HttpStatusCode.BadRequest)]
    [InlineData("/", HttpStatusCode.OK)]
    public async Task PageWithAForm_OverPlainHttp_SaysThatItNeedsHttps(string path, HttpStatusCode status)
    {
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = pulse.Address };
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Accept", "text/html" } } };
        using var answer = await client.SendAsync(request);

        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(status == HttpStatusCode.BadRequest, (await answer.Content.ReadAsStringAsync()).Contains("This site needs https", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Sync_BadBody_StillNamesTheMember()
    {
        using var client = pulse.As(TestTokens.Hs256(TestTokens.Claims(email: "production@example.com")));
        using var response = await client.PostJsonAsync("/auth/sync", """{"name":1}""");
        await response.AssertInvalidAsync("name");
    }

    [Fact]
    public void DeviceCookie_IsForThisHostOnly_AndRecordsItsUsers()
    {
        var devices = pulse.Services.GetRequiredService<DeviceCookie>();
        var (user, other) = (Guid.NewGuid(), Guid.NewGuid());
        var first = new DefaultHttpContext();

        Assert.False(devices.Remember(first, user));

        var cookie = first.Response.Headers.SetCookie.Single()!;
        Assert.StartsWith("__Host-pulse-device=", cookie, StringComparison.Ordinal);
        Assert.Contains("; path=/; secure; samesite=lax; httponly", cookie, StringComparison.Ordinal);
        Assert.True(devices.Remember(With(cookie), user));
        Assert.False(devices.Remember(With(cookie), other));
        Assert.False(devices.Remember(With("__Host-pulse-device=planted"), user));

        // Under the name that any site of the domain could set, the cookie is ignored.
        Assert.False(devices.Remember(With(cookie.Replace("__Host-", "", StringComparison.Ordinal)), user));

        static DefaultHttpContext With(string cookie)
        {
            var context = new DefaultHttpContext();
            context.Request.Headers.Cookie = cookie.Split(';')[0];
            return context;
        }
    }

    [Fact]
    public void People_AreNotListed() => Assert.False(pulse.Services.GetRequiredService<IOptions<PagesOptions>>().Value.ListPeople);

    [Fact]
    public async Task Start_WithTheDemo_RefusesAndSaysWhatToDo()
    {
        var demo = new Demo();
        try
        {
            var refused = await Assert.ThrowsAsync<StartException>(demo.InitializeAsync);

            Assert.Contains("--demo", refused.Message, StringComparison.Ordinal);
            Assert.Contains("ASPNETCORE_ENVIRONMENT=Development", refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            await demo.DisposeAsync();
        }
    }

    [Fact]
    public async Task Start_WithFaultsInSeveralSettings_RefusesAndNamesThemAll()
    {
        var faulty = new Faulty();
        try
        {
            var refused = await Assert.ThrowsAsync<StartException>(faulty.InitializeAsync);

            Assert.Contains(refused.Lines, fault => fault.StartsWith("Pulse:Auth:DevSignIn ", StringComparison.Ordinal));
            Assert.Contains(refused.Lines, fault => fault.StartsWith("Pulse:Auth:SigningKey ", StringComparison.Ordinal));
            Assert.Contains(refused.Lines, fault => fault.StartsWith("Pulse:Cors:Origins:0 ", StringComparison.Ordinal));
        }
        finally
        {
            await faulty.DisposeAsync();
        }
    }

    private sealed class Demo() : PulseApplication([KeyValuePair.Create("environment", "Production"), KeyValuePair.Create("Pulse:Demo", "true")]);

    private sealed class Faulty() : PulseApplication(
    [
        KeyValuePair.Create("environment", "Production"),
        KeyValuePair.Create("Pulse:Auth:DevSignIn", "true"),
        KeyValuePair.Create("Pulse:Auth:SigningKey", "short"),
        KeyValuePair.Create("Pulse:Cors:Origins:0", "*"),
    ]);
}
