namespace Pulse.Web.Http;

/// <summary>Headers that keep browsers from doing more with an answer than it is for.</summary>
internal static class SecurityHeaders
{
    // No inline script or style, nothing from elsewhere but pictures (avatars). 'self' in connect-src covers this host's WebSockets (CSP Level 3
    // section 6.7.2.8). form-action also holds for the redirects after a post in some browsers: no form may lead to a provider, links do.
    private const string PagePolicy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; form-action 'self'; " +
        "base-uri 'none'; frame-ancestors 'none'";

    private const string DataPolicy = "default-src 'none'; frame-ancestors 'none'";

    /// <summary>Adds them to every answer.</summary>
    public static void UseSecurityHeaders(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        // At the last moment: the exception handler clears what was set before it, and only now is it known what the answer is.
        context.Response.OnStarting(static state =>
        {
            var headers = ((HttpResponse)state).Headers;
            var isPage = headers.ContentType.ToString().StartsWith("text/html", StringComparison.OrdinalIgnoreCase);
            headers.TryAdd("X-Content-Type-Options", "nosniff");
            headers.TryAdd("Content-Security-Policy", isPage ? PagePolicy : DataPolicy);

            // Not no-referrer on pages: with that, browsers send "Origin: null" with a page's own form posts (Fetch section 3.2), which a
            // same-origin check must refuse. Other sites learn nothing either way.
            headers.TryAdd("Referrer-Policy", isPage ? "same-origin" : "no-referrer");
            if (!isPage) return Task.CompletedTask;

            headers.TryAdd("Cross-Origin-Opener-Policy", "same-origin");
            headers.TryAdd("Cross-Origin-Resource-Policy", "same-origin");
            headers.TryAdd("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
            // RFC 9111 section 5.2.2.5: a page says who is signed in and holds form tokens.
            headers.CacheControl = "no-store";
            headers.Remove("Pragma");
            // For blazor.web.js, which is not here.
            headers.Remove("blazor-enhanced-nav");
            return Task.CompletedTask;
        }, context.Response);
        return next(context);
    });
}
