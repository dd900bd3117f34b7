using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.RegularExpressions;
using System.Web;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.SignIn;

namespace Pulse.Web.Tests.Audit;

/// <summary>A person with one browser. All its secrets are recorded, so that a test can search the log for them.</summary>
internal sealed partial class AuditClient(AuditApplication pulse, string address) : IDisposable
{
    private readonly List<string> _secrets = [];

    public Browser Browser { get; } = new(pulse.Pulse.Address, address);

    public string Email { get; } = $"p{Guid.NewGuid():N}@audit.example";

    /// <summary>The texts that must be missing in the log: addresses, tokens, codes, and the cookies that scripts cannot read.</summary>
    public IEnumerable<string> Secrets =>
        [Email, .. _secrets, .. Browser.Cookies.GetAllCookies().Where(cookie => cookie is { HttpOnly: true, Value.Length: > 8 }).Select(cookie => cookie.Value)];

    /// <summary>Asks for a sign-in mail. Returns the page that takes the code.</summary>
    public async Task<Answer> AskAsync(string? email = null) => await Browser.PostAsync("/auth/signin/email", ("email", email ?? Email));

    /// <summary>Signs in by mail.</summary>
    public async Task SignInAsync(string? email = null)
    {
        await AskAsync(email);
        var page = await Browser.GetAsync(LinkFor(email ?? Email));
        Assert.Equal(HttpStatusCode.SeeOther, (await Browser.SubmitAsync(page)).Status);
    }

    /// <summary>The link of the last mail to that address.</summary>
    public string LinkFor(string email)
    {
        var link = pulse.Mailbox.List().First(entry => entry.Mail.To == email && entry.Mail.Link.Contains("token=", StringComparison.Ordinal)).Mail.Link;
        _secrets.Add(HttpUtility.ParseQueryString(new Uri(link).Query)["token"]!);
        return link;
    }

    /// <summary>Signs in with the hostile provider, which sends the given values.</summary>
    public Task<Answer> SignInWithHostileAsync(string subject, string email) => WithHostileAsync("/auth/signin/hostile", subject, email);

    /// <summary>Links an account of the hostile provider, by the link of the dashboard.</summary>
    public async Task<Answer> LinkHostileAsync(string subject) =>
        await WithHostileAsync(HttpUtility.HtmlDecode(HostileLink().Match((await Browser.GetAsync("/dashboard")).Body).Groups[1].Value), subject, $"{subject}@hostile.example");

    public async Task<string> FormTokenAsync() => FormToken().Match((await Browser.GetAsync("/dashboard")).Body).Groups[1].Value;

    public Task<Answer> PostAsync(string path) => Browser.SendAsync(new(HttpMethod.Post, path));

    public Task<Answer> DeleteAsync(string path) => Browser.SendAsync(new(HttpMethod.Delete, path));

    /// <summary>Sends a request with that token.</summary>
    public Task<Answer> WithTokenAsync(HttpMethod method, string path, string token)
    {
        _secrets.Add(token);
        return Browser.SendAsync(new(method, path) { Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token), Accept = { new("application/json") } } });
    }

    /// <summary>Sends a request with the admin key, which must succeed.</summary>
    public async Task<string> AdminAsync(HttpMethod method, string path)
    {
        var answer = await WithTokenAsync(method, path, AuditApplication.AdminKey);
        Assert.True(answer.Response.IsSuccessStatusCode, $"{method} {path} was answered {answer.Status}: {answer.Body}");
        return answer.Body;
    }

    /// <summary>A hub connection with that token, not yet started.</summary>
    public HubConnection Hub(string token)
    {
        _secrets.Add(token);
        return new HubConnectionBuilder().WithUrl(new Uri(pulse.Pulse.Address, "/hubs/pulse"), http =>
        {
            http.Transports = HttpTransportType.WebSockets;
            http.SkipNegotiation = true;
            http.Headers["X-Forwarded-For"] = address;
            http.AccessTokenProvider = () => Task.FromResult<string?>(token);
        }).Build();
    }

    public async Task<Guid> OtherSessionAsync() => JsonDocument.Parse((await Browser.GetAsync("/auth/sessions")).Body).RootElement.EnumerateArray()
        .First(session => !session.GetProperty("current").GetBoolean()).GetProperty("id").GetGuid();

    public static string TrustedToken(string subject, string email, bool verified = true)
    {
        var claims = TestTokens.Claims(PulseApplication.TrustedIssuer, subject, email);
        claims["email_verified"] = verified;
        return TestTokens.Hs256(claims, TestTokens.OtherKey);
    }

    public void Dispose() => Browser.Dispose();

    private async Task<Answer> WithHostileAsync(string start, string subject, string email)
    {
        pulse.Hostile.Tamper = token => (token.Claims["sub"], token.Claims["email"], token.Claims["email_verified"]) = (subject, email, true);
        var begun = await SignInFixture.ConsentAsync(Browser, await Browser.GetAsync(start));
        Assert.True(begun.Status == HttpStatusCode.Redirect, $"The sign-in was answered {begun.Status}: {begun.Body}");
        return await Browser.GetAsync((await Browser.GetAsync(begun.Location!.AbsoluteUri)).Location!.AbsoluteUri);
    }

    [GeneratedRegex(@"href=""(/auth/signin/hostile\?[^""]*)""")]
    private static partial Regex HostileLink();

    [GeneratedRegex("name=\"formToken\" value=\"([^\"]*)\"")]
    private static partial Regex FormToken();
}
