using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Sessions;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Sessions;

/// <summary>The data that a browser is asked to clear at sign-out.</summary>
public sealed class ClearSiteDataTests(ClearSiteDataTests.Proxied pulse) : IClassFixture<ClearSiteDataTests.Proxied>
{
    private const string Expected = "\"cache\", \"storage\"";

    [Theory]
    [InlineData("POST", "/auth/signout")]
    [InlineData("POST", "/auth/signout/everywhere")]
    [InlineData("DELETE", "/auth/me")]
    [InlineData("DELETE", "/auth/sessions/{own}")]
    public async Task Browser_ThatEndsItsSession_ClearsItsStoredData_OverHttpsOnly(string method, string path)
    {
        foreach (var scheme in new[] { "https", "http" })
        {
            using var browser = await Browser.SignInAsync(pulse);
            var own = Assert.Single(await browser.Sessions.ListAsync()).Id;

            using var response = await SendAsync(browser, scheme, method, path.Replace("{own}", $"{own:D}", StringComparison.Ordinal));

            Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
            Assert.Equal(scheme == "https" ? Expected : null, ClearedBy(response));
        }
    }

    [Fact]
    public async Task Browser_ThatEndsAnotherSession_ClearsNothing()
    {
        using var browser = await Browser.SignInAsync(pulse);
        var other = Assert.Single(await browser.Sessions.ListAsync()).Id;
        await browser.StartSessionAsync();

        using var response = await SendAsync(browser, "https", "DELETE", $"/auth/sessions/{other:D}");

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Null(ClearedBy(response));
    }

    [Fact]
    public async Task Token_ThatEndsItsSession_ClearsNothing_BecauseItsPageMayBeAnotherSites()
    {
        using var browser = await Browser.SignInAsync(pulse);
        using var issued = await SendAsync(browser, "https", "POST", "/auth/token");
        var token = (string)(await issued.ReadAsync(HttpStatusCode.OK))["accessToken"]!;
        browser.Cookie = null;

        using var response = await SendAsync(browser, "https", "POST", "/auth/signout", token);

        Assert.Equal(HttpStatusCode.NoContent, response.StatusCode);
        Assert.Null(ClearedBy(response));
    }

    [Fact]
    public async Task SiteBelowAPath_KeepsOtherApplicationsData()
    {
        using var browser = await Browser.SignInAsync(pulse);
        var session = Assert.Single(await browser.Sessions.ListAsync());
        var context = new DefaultHttpContext
        {
            RequestServices = pulse.Services,
            User = SessionPrincipal.Create(session, browser.UserId, "pulse"),
            Request = { Scheme = "https", PathBase = "/presence" },
        };

        pulse.Services.GetRequiredService<SignInService>().Forget(context);

        Assert.Single(context.Response.Headers.SetCookie);
        Assert.False(context.Response.Headers.ContainsKey("Clear-Site-Data"));
    }

    private static Task<HttpResponseMessage> SendAsync(Browser browser, string scheme, string method, string path, string? token = null)
    {
        var cookie = browser.Cookie;
        browser.Cookie = null;
        browser.OtherCookies = cookie is null ? null : $"{(scheme == "https" ? SessionCookie.SecureName : SessionCookie.PlainName)}={cookie}";
        var sent = browser.SendAsync(new HttpMethod(method), path, null, [
            ("X-Forwarded-For", "192.0.2.7"), ("X-Forwarded-Proto", scheme), ("Sec-Fetch-Site", "same-origin"),
            .. token is null ? [] : new[] { ("Authorization", $"Bearer {token}") },
        ]);
        browser.Cookie = cookie;
        return sent;
    }

    private static string? ClearedBy(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Clear-Site-Data", out var values) ? string.Join(", ", values) : null;

    /// <summary>Pulse behind a proxy on this machine that ends TLS.</summary>
    public sealed class Proxied() : PulseApplication([new("Pulse:Http:TrustedProxies:0", "127.0.0.1"), new("Pulse:Http:TrustedProxies:1", "::1")]);
}
