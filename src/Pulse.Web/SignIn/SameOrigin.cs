using Microsoft.Net.Http.Headers;

namespace Pulse.Web.SignIn;

/// <summary>Keeps other sites' pages from posting sign-in forms: a browser that is signed in without its owner's doing works for somebody else.</summary>
internal static class SameOrigin
{
    /// <summary>Refuses posts that a browser says come from another site. Browsers have sent Origin with every cross-origin post since 2020; programs need not.</summary>
    public static TBuilder RequireSameOrigin<TBuilder>(this TBuilder form) where TBuilder : IEndpointConventionBuilder =>
        form.AddEndpointFilter(async (invocation, next) =>
            IsFromElsewhere(invocation.HttpContext.Request) ? SignInErrors.OtherSite() : await next(invocation));

    private static bool IsFromElsewhere(HttpRequest request)
    {
        // Fetch Metadata: said by the browser itself, and not for scripts to change.
        if (request.Headers["Sec-Fetch-Site"].ToString() is { Length: > 0 } site) return site is not ("same-origin" or "none");

        // RFC 6454 section 7.3: "null" is somebody who does not want to say.
        var origin = request.Headers[HeaderNames.Origin].ToString();
        return origin.Length > 0 && !string.Equals(origin, $"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase);
    }
}
