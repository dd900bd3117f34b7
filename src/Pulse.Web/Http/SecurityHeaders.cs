namespace Pulse.Web.Http;

/// <summary>Headers that keep browsers from doing more with an answer than it is for.</summary>
internal static class SecurityHeaders
{
    private const string DataPolicy = "default-src 'none'; frame-ancestors 'none'";

    /// <summary>Adds them to every answer.</summary>
    /// <param name="app">The pipeline.</param>
    /// <param name="pictureSources">Where pages may load pictures from, besides this site (CSP Level 3 section 2.3.1).</param>
    public static void UseSecurityHeaders(this IApplicationBuilder app, string pictureSources)
    {
        var pagePolicy = PagePolicy(pictureSources);

        // At the last moment: the exception handler clears what was set before it, and only now is it known what the answer is.
        Func<object, Task> onStarting = response =>
        {
            Add(((HttpResponse)response).Headers, pagePolicy);
            return Task.CompletedTask;
        };
        app.Use((context, next) =>
        {
            context.Response.OnStarting(onStarting, context.Response);
            return next(context);
        });
    }

    private static void Add(IHeaderDictionary headers, string pagePolicy)
    {
        var isPage = headers.ContentType.ToString().StartsWith("text/html", StringComparison.OrdinalIgnoreCase);
        headers.TryAdd("X-Content-Type-Options", "nosniff");
        headers.TryAdd("Cross-Origin-Resource-Policy", "same-origin");
        headers.TryAdd("Content-Security-Policy", isPage ? pagePolicy : DataPolicy);

        // Not no-referrer on pages: with that, browsers send "Origin: null" with a page's own form posts (Fetch section 3.2), which a
        // same-origin check must refuse. The address itself goes nowhere: that of a mail link has its token in it.
        headers.TryAdd("Referrer-Policy", isPage ? "strict-origin" : "no-referrer");
        if (!isPage) return;

        headers.TryAdd("Cross-Origin-Opener-Policy", "same-origin");
        headers.TryAdd("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
        // RFC 9111 section 5.2.2.5: a page says who is signed in and holds form tokens.
        headers.CacheControl = "no-store";
        headers.Remove("Pragma");
        // For blazor.web.js, which is not here.
        headers.Remove("blazor-enhanced-nav");
    }
    // No inline script or style, nothing from elsewhere but pictures (avatars). 'self' in connect-src covers this host's WebSockets (CSP Level 3
    // section 6.7.2.8). form-action also holds for the redirects after a post in some browsers: no form may lead to a provider, links do.
    private static string PagePolicy(string pictureSources) =>
        $"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' {pictureSources}; connect-src 'self'; form-action 'self'; " +
        "base-uri 'none'; frame-ancestors 'none'";
}
