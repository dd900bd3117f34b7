using System.Net;
using System.Text;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Auth;
using Pulse.Web.Sessions;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Sessions;

/// <summary>Which pages may change data with a session cookie.</summary>
[Collection(SharedPulse.Name)]
public sealed class SameOriginTests(PulseApplication pulse)
{
    private const string Own = "own";
    private const string Evil = "https://evil.example";

    [Theory]
    [InlineData("same-origin", null, true)]
    [InlineData("same-origin", Own, true)]
    [InlineData("same-site", null, false)]
    [InlineData("same-site", Own, false)]
    [InlineData("cross-site", null, false)]
    [InlineData("cross-site", Own, false)]
    [InlineData("cross-site", Evil, false)]
    [InlineData("none", null, false)]
    [InlineData("none", Own, false)]
    [InlineData("", Own, false)]
    [InlineData("same-origin, same-origin", Own, false)]
    [InlineData(null, Own, true)]
    [InlineData(null, Evil, false)]
    [InlineData(null, "null", false)]
    [InlineData(null, "", false)]
    [InlineData(null, null, false)]
    public async Task Post_WithTheCookie_NeedsProofOfThisOrigin(string? site, string? origin, bool passes)
    {
        using var browser = await Browser.SignInAsync(pulse);
        using var response = await browser.SendAsync(HttpMethod.Post, "/auth/token", null, HeadersOf(browser, site, origin));

        if (passes)
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        else
            Assert.Contains("Authorization", (string?)(await response.ReadProblemAsync(HttpStatusCode.Forbidden, "cross-site"))["detail"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://localhost.evil.example")]
    [InlineData("HTTPS")]
    [InlineData("port")]
    public async Task Post_FromAnOriginThatLooksLikeOurs_IsRefused(string how)
    {
        using var browser = await Browser.SignInAsync(pulse);
        var own = new UriBuilder(browser.Origin);
        var origin = how switch { "HTTPS" => $"https://{own.Host}:{own.Port}", "port" => $"http://{own.Host}:{own.Port - 1}", _ => how };

        using var response = await browser.SendAsync(HttpMethod.Post, "/auth/token", null, ("Origin", origin));

        await response.ReadProblemAsync(HttpStatusCode.Forbidden, "cross-site");
    }

    [Theory]
    [InlineData("DELETE", "/auth/sessions/00000000-0000-0000-0000-000000000001")]
    [InlineData("POST", "/auth/signout")]
    [InlineData("POST", "/auth/signout/everywhere")]
    public async Task EveryChange_FromAnotherSite_IsRefusedAndChangesNothing(string method, string path)
    {
        using var browser = await Browser.SignInAsync(pulse);
        using var response = await browser.SendAsync(new(method), path, null, ("Sec-Fetch-Site", "cross-site"), ("Origin", Evil));

        await response.ReadProblemAsync(HttpStatusCode.Forbidden, "cross-site");
        Assert.Equal(HttpStatusCode.OK, await browser.GetStatusAsync("/auth/me"));
    }

    [Fact]
    public async Task Get_FromAnotherSite_Passes()
    {
        using var browser = await Browser.SignInAsync(pulse);
        using var response = await browser.SendAsync(HttpMethod.Get, "/auth/me", null, ("Sec-Fetch-Site", "cross-site"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Post_WithATokenFromAnotherSite_IsForCorsToDecide()
    {
        using var client = pulse.As(Auth.TestTokens.Hs256(Auth.TestTokens.Claims(email: $"{Guid.NewGuid():N}@cors.example")));
        client.DefaultRequestHeaders.Add("Sec-Fetch-Site", "cross-site");
        client.DefaultRequestHeaders.Add("Origin", Evil);
        using var response = await client.PostJsonAsync("/auth/sync", "{}");

        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
    }

    [Theory]
    [InlineData("same-origin", null, false)]
    [InlineData("cross-site", Evil, true)]
    [InlineData("same-site", null, true)]
    [InlineData(null, Evil, true)]
    [InlineData(null, null, false)]
    public async Task AnonymousForm_FromAnotherSite_IsRefused(string? site, string? origin, bool refused)
    {
        // Any path, because the guard runs before routing.
        using var browser = new Browser(pulse);
        using var response = await browser.SendAsync(
            HttpMethod.Post, "/auth/nothing-here", new FormUrlEncodedContent([new("email", "eve@example.com")]), HeadersOf(browser, site, origin));

        Assert.Equal(refused ? HttpStatusCode.Forbidden : HttpStatusCode.NotFound, response.StatusCode);
    }

    [Fact]
    public async Task Form_WithItsToken_SignsOutAndLeadsOn()
    {
        using var browser = await Browser.SignInAsync(pulse);
        var form = await OpenFormAsync(browser);

        using var response = await browser.PostAsync("/auth/signout", form);

        Assert.Equal((HttpStatusCode.SeeOther, "/signin"), (response.StatusCode, response.Headers.Location?.OriginalString));
        response.AssertCookieCleared();
    }

    [Fact]
    public async Task Form_WithoutItsToken_IsRefused()
    {
        using var browser = await Browser.SignInAsync(pulse);
        using var response = await browser.PostAsync("/auth/signout", new FormUrlEncodedContent([]));

        await response.ReadProblemAsync(HttpStatusCode.Forbidden, "form-outdated");
        Assert.Equal(HttpStatusCode.OK, await browser.GetStatusAsync("/auth/me"));
    }

    [Theory]
    [InlineData("multipart/form-data", 10, HttpStatusCode.BadRequest, "bad-request")]
    [InlineData("application/x-www-form-urlencoded", 20_000, HttpStatusCode.RequestEntityTooLarge, "too-large")]
    public async Task Form_ThatCannotBeRead_IsABadRequest(string contentType, int length, HttpStatusCode status, string kind)
    {
        using var browser = await Browser.SignInAsync(pulse);
        var form = new ByteArrayContent(Encoding.ASCII.GetBytes(new string('a', length))) { Headers = { ContentType = new(contentType) } };

        using var response = await browser.PostAsync("/auth/signout", form);

        await response.ReadProblemAsync(status, kind);
        Assert.Equal(HttpStatusCode.OK, await browser.GetStatusAsync("/auth/me"));
    }

    [Fact]
    public async Task Form_WithAnotherUsersToken_IsRefused()
    {
        using var ada = await Browser.SignInAsync(pulse);
        using var eve = await Browser.SignInAsync(pulse);
        var form = await OpenFormAsync(eve);
        ada.OtherCookies = eve.OtherCookies;

        using var response = await ada.PostAsync("/auth/signout", form);

        await response.ReadProblemAsync(HttpStatusCode.Forbidden, "form-outdated");
    }

    private static (string, string)[] HeadersOf(Browser browser, string? site, string? origin)
    {
        List<(string, string)> headers = [];
        if (site is not null) headers.Add(("Sec-Fetch-Site", site));
        if (origin is not null) headers.Add(("Origin", origin == Own ? browser.Origin : origin));
        return [.. headers];
    }

    // Does what a page does that shows a form to that browser.
    private async Task<FormUrlEncodedContent> OpenFormAsync(Browser browser)
    {
        var session = (await browser.Sessions.ListAsync()).Single();
        var context = new DefaultHttpContext { RequestServices = pulse.Services, User = SessionPrincipal.Create(session, browser.UserId, new AuthOptions().Issuer) };
        context.Request.Scheme = "http";
        var tokens = pulse.Services.GetRequiredService<IAntiforgery>().GetAndStoreTokens(context);
        browser.OtherCookies = context.Response.Headers.SetCookie.Single()!.Split(';')[0];
        return new([new(tokens.FormFieldName, tokens.RequestToken!)]);
    }
}
