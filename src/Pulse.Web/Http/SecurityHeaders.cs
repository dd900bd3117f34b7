namespace Pulse.Web.Http;

/// <summary>Headers that keep browsers from doing more with an answer than it is for.</summary>
internal static class SecurityHeaders
{
    /// <summary>Adds them to every answer; a page that sets its own keeps them.</summary>
    public static void UseSecurityHeaders(this IApplicationBuilder app) => app.Use((context, next) =>
    {
        // At the last moment: the exception handler clears what was set before it.
        context.Response.OnStarting(static state =>
        {
            var headers = ((HttpResponse)state).Headers;
            headers.TryAdd("X-Content-Type-Options", "nosniff");
            headers.TryAdd("Referrer-Policy", "no-referrer");
            headers.TryAdd("Content-Security-Policy", "frame-ancestors 'none'");
            return Task.CompletedTask;
        }, context.Response);
        return next(context);
    });
}
