using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Sessions;

namespace Pulse.Web.Tests.Sessions;

[Collection(SharedPulse.Name)]
public sealed class SignInCookieTests(PulseApplication pulse)
{
    private SignInService Cookie => pulse.Services.GetRequiredService<SignInService>();

    [Fact]
    public async Task SignIn_SetsACookieHiddenFromScriptsAndOtherSites()
    {
        using var browser = await Browser.SignInAsync(pulse);
        var context = NewContext("http");

        await Cookie.SignInAsync(context, browser.UserId);

        var cookie = context.Response.Headers.SetCookie.Single()!;
        Assert.Matches("^pulse=[A-Za-z0-9_-]{64}; max-age=604800; path=/; samesite=lax; httponly$", cookie.Replace("max-age=604799", "max-age=604800", StringComparison.Ordinal));
        Assert.Equal("no-store", context.Response.Headers.CacheControl);
    }

    [Fact]
    public async Task SignIn_OverHttps_SetsACookieForThisHostOnly()
    {
        using var browser = await Browser.SignInAsync(pulse);
        var context = NewContext("https");

        await Cookie.SignInAsync(context, browser.UserId);

        var cookie = context.Response.Headers.SetCookie.Single()!;
        Assert.StartsWith("__Host-pulse=", cookie, StringComparison.Ordinal);
        Assert.Contains("; path=/; secure; samesite=lax; httponly", cookie, StringComparison.Ordinal);
        Assert.DoesNotContain("domain", cookie, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SignIn_InABrowserThatHadASession_EndsThatOneAndBeginsAnother()
    {
        // Eve has planted her own session in Ada's browser: it must not become Ada's.
        using var eve = await Browser.SignInAsync(pulse);
        using var ada = await Browser.SignInAsync(pulse);
        var context = NewContext("http");
        context.Request.Headers.Cookie = $"pulse={eve.Cookie}";

        await Cookie.SignInAsync(context, ada.UserId);

        var planted = eve.Cookie!;
        ada.Cookie = context.Response.Headers.SetCookie[0]!.Split(';')[0]["pulse=".Length..];
        // What Eve's pages have stored in the browser is deleted.
        Assert.StartsWith($"pulse-forget={eve.UserId:D}; ", context.Response.Headers.SetCookie[1], StringComparison.Ordinal);
        Assert.NotEqual(planted[22..], ada.Cookie[22..]);
        Assert.Equal(HttpStatusCode.OK, await ada.GetStatusAsync("/auth/me"));
        Assert.Equal(HttpStatusCode.Unauthorized, await eve.GetStatusAsync("/auth/me"));
        Assert.Empty(await eve.Sessions.ListAsync());
    }

    [Fact]
    public async Task SignIn_OfAMissingUser_StartsNoSession()
    {
        var context = NewContext("http");

        Assert.Null(await Cookie.SignInAsync(context, Guid.NewGuid()));
        Assert.Equal(0, context.Response.Headers.SetCookie.Count);
    }

    [Fact]
    public async Task SignIn_AfterABadCookie_LeavesOneInstruction()
    {
        using var browser = await Browser.SignInAsync(pulse);
        var context = NewContext("http");
        context.Request.Headers.Cookie = "pulse=cut";
        pulse.Services.GetRequiredService<SessionCookie>().Clear(context, userId: null);

        await Cookie.SignInAsync(context, browser.UserId);

        Assert.Contains("max-age=6047", context.Response.Headers.SetCookie.Single(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task SignIn_OfAUserWhoseSessionHadEnded_KeepsTheStoredDataOfThatUserOnly()
    {
        using var ada = await Browser.SignInAsync(pulse);
        using var grace = await Browser.SignInAsync(pulse);
        var cookie = pulse.Services.GetRequiredService<SessionCookie>();
        foreach (var (former, expected) in new[] { (ada.UserId, ""), (grace.UserId, $"pulse-forget={grace.UserId:D}") })
        {
            // One cookie is still to come to the browser, and the other one came with an earlier answer.
            var (now, earlier) = (NewContext("http"), NewContext("http"));
            cookie.Clear(now, former);
            earlier.Request.Headers.Cookie = $"pulse-forget={former:D}";

            await Cookie.SignInAsync(now, ada.UserId);
            await Cookie.SignInAsync(earlier, ada.UserId);

            Assert.Equal(expected, now.Response.Headers.SetCookie.SingleOrDefault(value => value!.StartsWith("pulse-forget=", StringComparison.Ordinal))?.Split(';')[0] ?? "");
            Assert.Equal(expected.Length == 0, earlier.Response.Headers.SetCookie.Any(value => value!.StartsWith("pulse-forget=; expires=Thu, 01 Jan 1970", StringComparison.Ordinal)));
        }
    }

    private DefaultHttpContext NewContext(string scheme)
    {
        var context = new DefaultHttpContext { RequestServices = pulse.Services };
        context.Request.Scheme = scheme;
        return context;
    }
}
