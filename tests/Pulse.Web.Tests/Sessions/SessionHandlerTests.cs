using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Sessions;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Sessions;

/// <summary>The cookie's scheme without a silo, with a database that can become unavailable.</summary>
public sealed class SessionHandlerTests
{
    [Fact]
    public async Task SessionsUnavailable_Answers503_AndKeepsTheCookie()
    {
        await using var services = AuthHost.CreateWithKey();
        services.GetRequiredService<TestSessions>().AreAway = true;
        var context = NewContext(services, services.GetRequiredService<SessionSecrets>().Create(Guid.NewGuid()));

        Assert.False((await context.AuthenticateAsync()).Succeeded);
        await context.ChallengeAsync();

        Assert.Equal(503, context.Response.StatusCode);
        Assert.Equal(1, context.Response.Headers.RetryAfter.Count);
        Assert.Equal(0, context.Response.Headers.SetCookie.Count);
    }

    [Theory]
    [MemberData(nameof(BadCookies.Forgeries), MemberType = typeof(BadCookies))]
    public async Task ForgedCookie_IsClearedWithoutAGrainCall(string forgery)
    {
        await using var services = AuthHost.CreateWithKey();
        // Every caller would get 503.
        services.GetRequiredService<TestSessions>().AreAway = true;
        var secret = services.GetRequiredService<SessionSecrets>().Create(Guid.NewGuid());
        var context = NewContext(services, secret with { Text = BadCookies.Apply(forgery, secret.Text) });

        Assert.False((await context.AuthenticateAsync()).Succeeded);
        await context.ChallengeAsync();

        Assert.Equal(401, context.Response.StatusCode);
        Assert.StartsWith("pulse=; expires=Thu, 01 Jan 1970", context.Response.Headers.SetCookie.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task EndedSession_HasTheNextPageDeleteTheDataOfItsUser()
    {
        await using var services = AuthHost.CreateWithKey();
        var secret = services.GetRequiredService<SessionSecrets>().Create(Guid.NewGuid());
        var context = NewContext(services, secret);

        Assert.False((await context.AuthenticateAsync()).Succeeded);

        Assert.StartsWith("pulse=; expires=Thu, 01 Jan 1970", context.Response.Headers.SetCookie[0], StringComparison.Ordinal);
        // The cookie omits httponly, because a script reads it.
        Assert.Equal($"pulse-forget={secret.UserId:D}; max-age=34560000; path=/; samesite=lax", context.Response.Headers.SetCookie[1]);
    }

    [Fact]
    public async Task Renewed_SetsTheSameCookieAgain()
    {
        await using var services = AuthHost.CreateWithKey();
        var secret = services.GetRequiredService<SessionSecrets>().Create(Guid.NewGuid());
        services.GetRequiredService<TestSessions>().Start(secret.Hash, renewed: true);
        var context = NewContext(services, secret);

        Assert.True((await context.AuthenticateAsync()).Succeeded);
        Assert.StartsWith($"pulse={secret.Text}; max-age=", context.Response.Headers.SetCookie.Single(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/dashboard", "?a=1&b=2", "/signin?returnUrl=%2Fdashboard%3Fa%3D1%26b%3D2")]
    [InlineData("POST", "/dashboard", "", null)]
    public async Task Page_WithoutSession_LeadsToSignIn(string method, string path, string query, string? location)
    {
        await using var services = AuthHost.CreateWithKey();
        var context = NewContext(services, secret: null);
        (context.Request.Method, context.Request.Path, context.Request.QueryString) = (method, path, new(query));
        context.SetEndpoint(new(null, new(SignInRedirect.Instance), "page"));

        await context.ChallengeAsync();

        Assert.Equal(location is null ? 401 : 303, context.Response.StatusCode);
        Assert.Equal(location, (string?)context.Response.Headers.Location);
    }

    [Fact]
    public async Task Production_OverHttp_IgnoresThePlainCookie()
    {
        await using var services = AuthHost.Create("Production", ("SigningKey", TestTokens.Key));
        var secret = services.GetRequiredService<SessionSecrets>().Create(Guid.NewGuid());
        services.GetRequiredService<TestSessions>().Start(secret.Hash);
        var context = NewContext(services, secret);

        Assert.False((await context.AuthenticateAsync()).Succeeded);
        Assert.True((await NewContext(services, secret, "__Host-pulse").AuthenticateAsync()).Succeeded);
    }

    [Fact]
    public async Task Principal_IsReadLikeAToken()
    {
        await using var services = AuthHost.CreateWithKey();
        var secret = services.GetRequiredService<SessionSecrets>().Create(Guid.NewGuid());
        var sessionId = services.GetRequiredService<TestSessions>().Start(secret.Hash);

        ClaimsPrincipal principal = (await NewContext(services, secret).AuthenticateAsync()).Principal!;
        var caller = services.GetRequiredService<Pulse.Web.Auth.Callers>().Read(principal);

        Assert.Equal((secret.UserId, sessionId), (caller.OwnUserId, caller.OwnSessionId));
        Assert.True(SessionPrincipal.IsFromCookie(principal));
    }

    private static DefaultHttpContext NewContext(IServiceProvider services, SessionSecret? secret, string name = "pulse")
    {
        var context = new DefaultHttpContext { RequestServices = services.CreateScope().ServiceProvider };
        context.Request.Scheme = "http";
        if (secret is not null) context.Request.Headers.Cookie = $"{name}={secret.Text}";
        return context;
    }
}
