namespace Pulse.Web.Http;

/// <summary>Headers that restrict what browsers do with an answer.</summary>
internal static class SecurityHeaders
{
    private const string DataPolicy = "default-src 'none'; frame-ancestors 'none'";

    /// <summary>Adds the headers to every answer.</summary>
    /// <param name="app">The pipeline.</param>
    /// <param name="pictureSources">Sources of pictures for pages, besides this site (CSP Level 3 section 2.3.1).</param>
    public static void UseSecurityHeaders(this IApplicationBuilder app, string pictureSources)
    {
        var pagePolicy = PagePolicy(pictureSources);

        // Added at the last moment, because the exception handler clears earlier headers, and only now the content type is known.
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

        // Pages must not use no-referrer: browsers would then send "Origin: null" with a page's own form posts (Fetch section 3.2), which a
        // same-origin check must refuse. At most the origin is sent, because a mail link's URL contains its token.
        headers.TryAdd("Referrer-Policy", isPage ? "strict-origin" : "no-referrer");
        if (!isPage) return;

        headers.TryAdd("Cross-Origin-Opener-Policy", "same-origin");
        headers.TryAdd("Permissions-Policy", "camera=(), geolocation=(), microphone=()");
        // RFC 9111 section 5.2.2.5: a page shows the signed-in user and contains form tokens.
        headers.CacheControl = "no-store";
        headers.Remove("Pragma");
        // The header is for blazor.web.js, which Pulse lacks.
        headers.Remove("blazor-enhanced-nav");
    }
    // Inline scripts and styles are forbidden, and only pictures (avatars) may come from other origins. 'self' in connect-src covers this
    // host's WebSockets (CSP Level 3 section 6.7.2.8). In some browsers form-action also applies to the redirects after a post, so links
    // instead of forms lead to a provider.
    private static string PagePolicy(string pictureSources) =>
        $"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' {pictureSources}; connect-src 'self'; manifest-src 'self'; " +
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
}
