using System.Net;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Tests.SignIn;

/// <summary>The answers to browsers outside Development, where cookies have other names and the request's host is ignored.</summary>
public sealed partial class ProductionSignInTests(ProductionSignInTests.Application pulse) : IClassFixture<ProductionSignInTests.Application>
{
    private const string PublicUrl = "https://pulse.example";

    public sealed class Application : PulseApplication, IAsyncLifetime
    {
        private readonly TestMailbox _mailbox;

        public Application() : this(TestMailbox.StartAsync(isOld: true).GetAwaiter().GetResult())
        {
        }

        private Application(TestMailbox mailbox) : base([
            new("environment", "Production"),
            new("Pulse:PublicUrl", PublicUrl),
            new("Pulse:Auth:Providers:lab:ClientId", "pulse"),
            new("Pulse:Auth:Providers:lab:ClientSecret", "secret"),
            new("Pulse:Auth:Providers:lab:Authority", "https://lab.example"),
            new("Pulse:Auth:Providers:away:ClientId", "pulse"),
            new("Pulse:Auth:Providers:away:ClientSecret", "secret"),
            new("Pulse:Auth:Providers:away:Authority", "https://away.example"),
            new("Pulse:Cors:Origins:0", "https://app.pulse.example"),
            .. mailbox.Settings]) => _mailbox = mailbox;

        internal TestMailbox Mailbox => _mailbox;

        async Task IAsyncLifetime.DisposeAsync()
        {
            await DisposeAsync();
            await _mailbox.DisposeAsync();
        }

        // A provider outside Development has https and a certificate that this machine trusts. Here only its documents are used.
        // The second provider answers with the documents of the first one, so that nobody is sent to it.
        private protected override void Adjust(IServiceCollection services)
        {
            foreach (var provider in new[] { "lab", "away" })
                services.Configure<OpenIdConnectOptions>(provider, options => options.BackchannelHttpHandler = new Documents());
        }
    }

    private sealed class Documents : HttpMessageHandler
    {
        private static readonly JsonWebKey s_key = JsonWebKeyConverter.ConvertFromRSASecurityKey(new(RSA.Create(2048).ExportParameters(includePrivateParameters: false)));

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage
            {
                Content = new StringContent(request.RequestUri!.AbsolutePath == "/keys"
                    ? $$"""{"keys":[{"kty":"RSA","kid":"1","use":"sig","n":"{{s_key.N}}","e":"{{s_key.E}}"}]}"""
                    : """
                    {"issuer":"https://lab.example","authorization_endpoint":"https://lab.example/authorize","token_endpoint":"https://lab.example/token",
                     "jwks_uri":"https://lab.example/keys","response_types_supported":["code"],"subject_types_supported":["public"],
                     "id_token_signing_alg_values_supported":["RS256"]}
                    """),
            });
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("pulse.example:8443")]
    [InlineData("localhost")]
    public async Task Challenge_HasThePublicRedirectUri_AndHostCookies(string host)
    {
        using var client = Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, "/auth/signin/lab") { Headers = { Host = host } };
        using var answer = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        Assert.Contains("redirect_uri=https%3A%2F%2Fpulse.example%2Fauth%2Fcallback%2Flab&", answer.Headers.Location!.Query, StringComparison.Ordinal);
        var cookies = answer.Headers.GetValues("Set-Cookie").ToArray();
        Assert.Equal(2, cookies.Length);
        Assert.All(cookies, cookie =>
        {
            Assert.StartsWith("__Host-pulse.", cookie, StringComparison.Ordinal);
            Assert.Contains("; path=/;", cookie, StringComparison.Ordinal);
            Assert.Contains("; secure;", cookie, StringComparison.Ordinal);
            Assert.Contains("; httponly", cookie, StringComparison.Ordinal);
            Assert.DoesNotContain("domain=", cookie, StringComparison.OrdinalIgnoreCase);
        });
    }

    [Theory]
    [InlineData("evil.example")]
    [InlineData("pulse.example:8443")]
    [InlineData("localhost")]
    public async Task MailLink_LeadsToThePublicUrl(string host)
    {
        using var client = Client();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/auth/signin/email")
        {
            Content = new FormUrlEncodedContent([new("email", $"m{Guid.NewGuid():N}@example.com")]),
            Headers = { Host = host },
        };
        using var answer = await client.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var mail = await pulse.Mailbox.NextAsync();
        var links = Link().Matches(mail.TextBody!).Select(match => match.Value).ToArray();
        Assert.All(links, link => Assert.StartsWith($"{PublicUrl}/auth/callback/email?token=", link, StringComparison.Ordinal));
        Assert.Single(links);
        Assert.DoesNotContain(host == "localhost" ? "//localhost" : host, mail.HtmlBody, StringComparison.Ordinal);
        Assert.StartsWith("__Host-pulse-mail=", Assert.Single(answer.Headers.GetValues("Set-Cookie"), cookie => cookie.Contains("mail", StringComparison.Ordinal)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Mail_ToAnAddressThatTheServerCannotAccept_IsReported()
    {
        using var client = Client();
        foreach (var email in new[] { "jörg@example.test", "ada@bücher.test" })
        {
            using var answer = await client.PostAsync("/auth/signin/email", new FormUrlEncodedContent([new("email", email)]));
            var isAscii = email[0] == 'a';
            Assert.Equal(isAscii ? HttpStatusCode.OK : HttpStatusCode.BadRequest, answer.StatusCode);
            if (!isAscii) Assert.Contains("Mail cannot be sent to this address", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        // The first mail was not sent at all.
        Assert.EndsWith("@xn--bcher-kva.test", Assert.Single((await pulse.Mailbox.NextAsync()).To.Mailboxes).GetAddress(idnEncode: true), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "its discovery document is another issuer")]
    [InlineData("203.0.113.7", "try again in a minute")]
    public async Task UnavailableProvider_HasItsReasonForOperatorsOnly(string? client, string expected)
    {
        // A service checks the providers in the background.
        await Eventually.AsyncTrue("the provider is unavailable", async () => (await PageAsync()).Contains("away is not available", StringComparison.Ordinal));

        var page = await PageAsync();

        Assert.Contains(expected, page, StringComparison.Ordinal);
        Assert.Equal(client is null, page.Contains("discovery document", StringComparison.Ordinal));

        async Task<string> PageAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/signin") { Headers = { { "Accept", "text/html" } } };
            if (client is not null) request.Headers.Add("X-Forwarded-For", client);
            using var answer = await pulse.Anonymous.SendAsync(request);
            return WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task Schemes_AnswerOnlyAtTheirCallback()
    {
        var schemes = pulse.Services.GetRequiredService<IAuthenticationSchemeProvider>();
        var options = pulse.Services.GetRequiredService<IOptionsMonitor<OpenIdConnectOptions>>();
        var remote = (await schemes.GetRequestHandlerSchemesAsync()).ToArray();

        Assert.Equal(["away", "lab"], remote.Select(scheme => scheme.Name).Order());
        foreach (var scheme in remote)
        {
            var of = options.Get(scheme.Name);
            Assert.Equal($"/auth/callback/{scheme.Name}", of.CallbackPath);
            Assert.False(of.RemoteSignOutPath.HasValue);
            Assert.False(of.SignedOutCallbackPath.HasValue);
            Assert.False(of.AccessDeniedPath.HasValue);
        }

        foreach (var path in new[] { "/signout-oidc", "/signout-callback-oidc", "/signin-oidc" })
        {
            using var answer = await pulse.Anonymous.GetAsync(path);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
    }

    [Fact]
    public void Routes_AnswerOtherOriginsOnlyWhereTheyTakeATokenAlone()
    {
        var cors = pulse.Services.GetRequiredService<IOptions<CorsOptions>>().Value;
        var routes = pulse.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>().ToArray();
        Assert.NotEmpty(routes);
        foreach (var route in routes)
        {
            var path = "/" + route.RoutePattern.RawText!.TrimStart('/');
            var policy = route.Metadata.GetMetadata<IEnableCorsAttribute>()?.PolicyName;
            var isData = path.StartsWith("/auth/sync", StringComparison.Ordinal) || path.StartsWith("/auth/me", StringComparison.Ordinal)
                || path.StartsWith("/auth/token", StringComparison.Ordinal) || path.StartsWith("/auth/sessions", StringComparison.Ordinal)
                || path.StartsWith("/auth/hub-ticket", StringComparison.Ordinal) || path.StartsWith("/.well-known/jwks", StringComparison.Ordinal)
                || path.StartsWith("/auth/signout", StringComparison.Ordinal) || path.StartsWith("/users", StringComparison.Ordinal)
                || path.StartsWith("/conversations", StringComparison.Ordinal) || path is "/search" or "/channels"
                || path.StartsWith("/presence", StringComparison.Ordinal) || path.StartsWith("/hubs/", StringComparison.Ordinal);
            Assert.True(isData == (policy is not null), $"{path} has the CORS policy '{policy}'.");
            if (policy is not null) Assert.Equal(path.StartsWith("/hubs/", StringComparison.Ordinal), cors.GetPolicy(policy)!.SupportsCredentials);
        }

        Assert.Null(cors.GetPolicy(cors.DefaultPolicyName));
    }

    [Theory]
    [InlineData("/", false)]
    [InlineData("/dashboard", false)]
    [InlineData("/auth/me", true)]
    [InlineData("/presence?ids=", true)]
    public async Task Answers_ToAListedOrigin_AllowNoCredentials(string path, bool isReadable)
    {
        using var client = Client();
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "Origin", "https://app.pulse.example" } } };
        using var answer = await client.SendAsync(request);

        Assert.Equal(isReadable, answer.Headers.Contains("Access-Control-Allow-Origin"));
        Assert.False(answer.Headers.Contains("Access-Control-Allow-Credentials"));
        Assert.Equal("same-origin", answer.Headers.GetValues("Cross-Origin-Resource-Policy").Single());
        Assert.Equal("max-age=31536000", answer.Headers.GetValues("Strict-Transport-Security").Single());
    }

    private HttpClient Client() => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = pulse.Address };

    [GeneratedRegex(@"https?://\S+")]
    private static partial Regex Link();
}
