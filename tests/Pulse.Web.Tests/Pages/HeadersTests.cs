using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Pages;

/// <summary>The headers of pages, and which requests get a page.</summary>
[Collection(SharedPages.Name)]
public sealed class HeadersTests(PagesApplication pulse)
{
    private const string Browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    [Theory]
    [InlineData("/", HttpStatusCode.OK)]
    [InlineData("/signin", HttpStatusCode.OK)]
    [InlineData("/no/such/page", HttpStatusCode.NotFound)]
    public async Task Page_AllowsNoInlineCodeAndNoFrameAndIsNotStored(string path, HttpStatusCode status)
    {
        using var response = await GetAsync(path, Browser);

        Assert.Equal(status, response.StatusCode);
        Assert.Equal("text/html", response.Content.Headers.ContentType?.MediaType);
        var policy = Assert.Single(response.Headers.GetValues("Content-Security-Policy"));
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.All(
            ["default-src 'none'", "script-src 'self'", "style-src 'self'", "manifest-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"],
            rule => Assert.Contains(rule, policy, StringComparison.Ordinal));
        Assert.Equal("same-origin", Assert.Single(response.Headers.GetValues("Cross-Origin-Opener-Policy")));
        Assert.Equal("strict-origin", Assert.Single(response.Headers.GetValues("Referrer-Policy")));
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.True(response.Headers.CacheControl?.NoStore);

        var html = await response.Content.ReadAsStringAsync();
        Assert.DoesNotContain(" style=", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<script>", html, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("<link rel=\"manifest\" href=\"/manifest.webmanifest\"", html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Manifest_IsReadByTheBrowser_AndItsIconsAreWhatItSays()
    {
        await using var visitor = await pulse.VisitAsync();
        await visitor.Page.GotoAsync("/signin");
        var browser = await visitor.Page.Context.NewCDPSessionAsync(visitor.Page);

        // The policy of the page decides whether the browser reads it.
        var read = (await browser.SendAsync("Page.getAppManifest"))!.Value;

        Assert.Empty(read.GetProperty("errors").EnumerateArray());
        Assert.Empty(visitor.Complaints);
        var manifest = JsonDocument.Parse(read.GetProperty("data").GetString()!).RootElement;
        Assert.Equal(("Pulse", "/chat", "/"), (Text("name"), Text("start_url"), Text("scope")));
        var icons = manifest.GetProperty("icons").EnumerateArray().ToArray();
        Assert.Contains(icons, icon => icon.GetProperty("purpose").GetString() == "maskable");
        foreach (var icon in icons)
        {
            using var file = await pulse.Anonymous.GetAsync(icon.GetProperty("src").GetString());
            Assert.Equal((HttpStatusCode.OK, icon.GetProperty("type").GetString()), (file.StatusCode, file.Content.Headers.ContentType?.MediaType));
            var size = await visitor.Page.EvaluateAsync<int[]>(
                "async src => { const icon = new Image(); icon.src = src; await icon.decode(); return [icon.naturalWidth, icon.naturalHeight]; }", icon.GetProperty("src").GetString());
            if (icon.GetProperty("sizes").GetString() is not "any" and var sizes) Assert.Equal(sizes, $"{size[0]}x{size[1]}");
            else Assert.Equal(size[0], size[1]);
        }

        string? Text(string name) => manifest.GetProperty(name).GetString();
    }

    [Fact]
    public async Task Asset_UnderTheHashOfItsContent_IsCachedForGood_UnderAnotherAddressRevalidated()
    {
        var html = await (await GetAsync("/", Browser)).Content.ReadAsStringAsync();
        var href = System.Text.RegularExpressions.Regex.Match(html, "/assets/site\\.css\\?v=[0-9a-f]{16}").Value;
        Assert.NotEmpty(href);

        using var named = await GetAsync(href, "text/css");
        using var stale = await GetAsync("/assets/site.css?v=0123456789abcdef", "text/css");

        Assert.Contains("immutable", named.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        Assert.Equal("no-cache", stale.Headers.CacheControl!.ToString());
        Assert.NotNull(stale.Headers.ETag);
    }

    [Theory]
    [InlineData("*/*")]
    [InlineData("application/json")]
    [InlineData("text/html;q=0")]
    public async Task Error_ForAProgram_IsProblemDetails(string accept)
    {
        using var response = await GetAsync("/no/such/page", accept);

        await response.ReadProblemAsync(HttpStatusCode.NotFound, "not-found");
    }

    [Fact]
    public async Task Form_WithoutItsToken_IsRefused()
    {
        using var form = new FormUrlEncodedContent([new("token", new string('A', 43))]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/callback/email") { Content = form };
        request.Headers.Accept.ParseAdd("text/html");

        using var response = await pulse.Anonymous.SendAsync(request);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Contains("This form is out of date", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    private Task<HttpResponseMessage> GetAsync(string path, string accept)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var type in accept.Split(',')) request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse(type));
        return pulse.Anonymous.SendAsync(request);
    }
}
