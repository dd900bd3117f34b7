using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace Pulse.Web.Tests.SignIn;

/// <summary>The part of a browser that a sign-in needs: its own cookies, forms, and redirects on request only.</summary>
internal sealed partial class Browser : IDisposable
{
    private readonly HttpClient _client;

    /// <param name="site">The base address of paths.</param>
    /// <param name="address">The client's address, for a Pulse that trusts this machine as a proxy.</param>
    public Browser(Uri site, string? address = null)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = true, CookieContainer = Cookies };
        _client = new HttpClient(handler) { BaseAddress = site, Timeout = TimeSpan.FromSeconds(30) };
        _client.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("text/html"));
        if (address is not null) _client.DefaultRequestHeaders.Add("X-Forwarded-For", address);
    }

    public CookieContainer Cookies { get; } = new();

    public Uri Site => _client.BaseAddress!;

    public Task<Answer> GetAsync(string url) => SendAsync(new(HttpMethod.Get, url));

    public Task<Answer> PostAsync(string url, params (string Name, string Value)[] fields) =>
        SendAsync(new(HttpMethod.Post, url) { Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))) });

    /// <summary>Presses the button of a page's last form: the one before it, if any, signs out.</summary>
    public Task<Answer> SubmitAsync(Answer page, params (string Name, string Value)[] fields)
    {
        var form = page.Body[Math.Max(0, page.Body.LastIndexOf("<form", StringComparison.Ordinal))..];
        var hidden = HiddenField().Matches(form).Select(match => (match.Groups["name"].Value, WebUtility.HtmlDecode(match.Groups["value"].Value)));
        var action = FormAction().Match(form) is { Success: true } match ? WebUtility.HtmlDecode(match.Groups[1].Value) : page.Url.PathAndQuery;
        return PostAsync(new Uri(page.Url, action).AbsoluteUri, [.. hidden, .. fields]);
    }

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        // As browsers do since 2020, unless a test sets other headers.
        if (request.Method != HttpMethod.Get && !request.Headers.Contains("Origin") && !request.Headers.Contains("Sec-Fetch-Site"))
            request.Headers.Add("Origin", new Uri(Site, request.RequestUri!).GetLeftPart(UriPartial.Authority));
        using var response = await _client.SendAsync(request);
        var location = response.Headers.Location is { } to ? new Uri(request.RequestUri!, to) : null;
        return new(response.StatusCode, location, await response.Content.ReadAsStringAsync(), request.RequestUri!, response);
    }

    /// <summary>The user that is signed in at this browser, if any.</summary>
    public async Task<Guid?> WhoAmIAsync()
    {
        var answer = await GetAsync("/auth/me");
        return answer.Status == HttpStatusCode.OK ? System.Text.Json.JsonDocument.Parse(answer.Body).RootElement.GetProperty("id").GetGuid() : null;
    }

    public void Dispose() => _client.Dispose();

    [GeneratedRegex("""<input type="hidden" name="(?<name>[^"]*)" value="(?<value>[^"]*)"\s*/?>""")]
    private static partial Regex HiddenField();

    [GeneratedRegex("""<form[^>]* action="([^"]*)""")]
    private static partial Regex FormAction();
}

/// <summary>The answer to a request.</summary>
internal sealed record Answer(HttpStatusCode Status, Uri? Location, string Body, Uri Url, HttpResponseMessage Response)
{
    /// <summary>Path and query of the redirect's target.</summary>
    public string? Path => Location?.PathAndQuery;
}
