using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Sessions;

namespace Pulse.Web.Tests.Sessions;

/// <summary>A browser that sends one cookie, shows every answer as it is, and does not follow redirects by itself.</summary>
internal sealed class Browser : IDisposable
{
    private readonly HttpClient _client;
    private readonly PulseApplication _pulse;

    public Browser(PulseApplication pulse)
    {
        _pulse = pulse;
        _client = new(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = pulse.Anonymous.BaseAddress };
    }

    /// <summary>The session cookie's value; <see langword="null"/>: the cookie is left out.</summary>
    public string? Cookie { get; set; }

    /// <summary>Further cookies, as sent.</summary>
    public string? OtherCookies { get; set; }

    public Guid UserId { get; private init; }

    public string Origin => _client.BaseAddress!.GetLeftPart(UriPartial.Authority);

    /// <summary>A new user, signed in.</summary>
    public static async Task<Browser> SignInAsync(PulseApplication pulse, Guid? userId = null)
    {
        var browser = new Browser(pulse) { UserId = userId ?? Guid.CreateVersion7() };
        await browser.User.SyncProfileAsync(new() { Email = $"{browser.UserId:N}@browser.example", Name = "Ada" });
        await browser.StartSessionAsync();
        return browser;
    }

    public IUserGrain User => Grains.GetGrain<IUserGrain>(UserId);

    public IUserSessionsGrain Sessions => Grains.GetGrain<IUserSessionsGrain>(UserId);

    private IGrainFactory Grains => _pulse.Services.GetRequiredService<IGrainFactory>();

    public async Task<SignInSession> StartSessionAsync()
    {
        var secret = _pulse.Services.GetRequiredService<SessionSecrets>().Create(UserId);
        Cookie = secret.Text;
        return (await Sessions.StartAsync(new() { TokenHash = secret.Hash, Device = "curl/8", Address = "192.0.2.1" }))!;
    }

    public Task<HttpResponseMessage> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    /// <summary>Sends the request as a page of this origin does.</summary>
    public Task<HttpResponseMessage> PostAsync(string path, HttpContent? content = null) => SendAsync(HttpMethod.Post, path, content, ("Sec-Fetch-Site", "same-origin"));

    /// <summary>Sends the request as a page of this origin does.</summary>
    public Task<HttpResponseMessage> DeleteAsync(string path) => SendAsync(HttpMethod.Delete, path, null, ("Sec-Fetch-Site", "same-origin"));

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(method, path) { Content = content };
        var cookies = string.Join("; ", new[] { Cookie is null ? null : $"{SessionCookie.PlainName}={Cookie}", OtherCookies }.Where(cookie => cookie is not null));
        if (cookies.Length > 0) request.Headers.Add("Cookie", cookies);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return _client.SendAsync(request);
    }

    public async Task<HttpStatusCode> GetStatusAsync(string path)
    {
        using var response = await GetAsync(path);
        return response.StatusCode;
    }

    public void Dispose() => _client.Dispose();
}

/// <summary>The effect of an answer on the session cookie.</summary>
internal static class SetCookies
{
    public static string? SessionCookie(this HttpResponseMessage response) =>
        response.Headers.TryGetValues("Set-Cookie", out var cookies) ? cookies.SingleOrDefault(cookie => cookie.StartsWith("pulse=", StringComparison.Ordinal)) : null;

    public static void AssertCookieCleared(this HttpResponseMessage response) =>
        Assert.StartsWith("pulse=; expires=Thu, 01 Jan 1970", response.SessionCookie(), StringComparison.Ordinal);
}
