using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Net.Http.Headers;
using Pulse.Web.Audit;
using Pulse.Web.Http;

namespace Pulse.Web.Sessions;

/// <summary>Keeps other sites' pages from acting for somebody whose browser is signed in here (cross-site request forgery).</summary>
/// <remarks>
/// SameSite=Lax alone does not do: it knows sites and not origins, so that a sibling host's page may post. A request that changes something must
/// be proven to come from this very origin: by Sec-Fetch-Site (W3C Fetch Metadata), which scripts cannot set, or where a browser does not send it
/// (over plain http, say) by Origin (RFC 6454 section 7). A form carries an antiforgery token besides. Nobody's requests are looked at too where any
/// page's form could have sent them: being signed in as the attacker is an attack as well (login CSRF). A request with an access token
/// needs none of this: no browser adds one by itself.
/// </remarks>
internal sealed class SameOriginGuard(RequestDelegate next, IAntiforgery antiforgery)
{
    private enum From
    {
        ThisOrigin,
        Elsewhere,

        /// <summary>No browser of today; or one, and something on the way has taken its headers.</summary>
        Unknown,
    }

    // A socket is a GET for as long as it lives: no state of this method stays with it.
    public Task InvokeAsync(HttpContext context) => IsSafe(context.Request.Method) ? next(context) : GuardAsync(context);

    private async Task GuardAsync(HttpContext context)
    {
        var request = context.Request;
        var from = Find(request);

        // Where nobody need be signed in, the cookie has no part in what is done.
        if (!SessionPrincipal.IsFromCookie(context.User) || context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            await (from == From.Elsewhere && CanAnyPageSend(request)
                ? RefuseAsync(context, ProblemTypes.CrossSite, "Another site's page has sent this form. Open this site's own page and try again.")
                : next(context));
        }
        else if (from != From.ThisOrigin)
        {
            await RefuseAsync(
                context, ProblemTypes.CrossSite,
                "A change that is asked for with the session cookie must come from a page of this site. Programs: send an access token in the "
                + $"Authorization header, or the header Origin: {OwnOrigin(request)}. Behind a proxy: see that it passes Host on, and name it in Pulse:Http:TrustedProxies.");
        }
        else
        {
            await (request.HasFormContentType && !await HasFormTokenAsync(context) ? RefuseAsync(context, ProblemTypes.FormOutdated) : next(context));
        }
    }

    private static Task RefuseAsync(HttpContext context, ProblemType problem, string? detail = null)
    {
        context.Audit(AuditEvents.CrossSiteRefused, reason: problem.Name);
        return problem.WriteAsync(context, detail);
    }

    // RFC 9110 section 9.2.1.
    private static bool IsSafe(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method);

    private static From Find(HttpRequest request)
    {
        // "none" is what somebody did to the browser itself, and nothing that a person does there changes anything here.
        if (request.Headers["Sec-Fetch-Site"] is { Count: > 0 } site) return site == "same-origin" ? From.ThisOrigin : From.Elsewhere;
        if (request.Headers.Origin is { Count: > 0 } origin)
            return string.Equals(origin, OwnOrigin(request), StringComparison.OrdinalIgnoreCase) ? From.ThisOrigin : From.Elsewhere;
        return From.Unknown;
    }

    private static string OwnOrigin(HttpRequest request) => $"{request.Scheme}://{request.Host.Value}";

    // Fetch, "CORS-safelisted request-header": with any other content type, or an Authorization header, a browser asks first, and CORS answers.
    private static bool CanAnyPageSend(HttpRequest request) =>
        request.Headers.Authorization.Count == 0 && !request.Path.StartsWithSegments("/hubs")
        && (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || type.MediaType.Value?.ToLowerInvariant() is "application/x-www-form-urlencoded" or "multipart/form-data" or "text/plain");

    private async Task<bool> HasFormTokenAsync(HttpContext context)
    {
        // Read first: of a form that it cannot read, antiforgery throws what says neither whose fault that is nor what to answer.
        await RequestForm.ReadAsync(context);
        try
        {
            await antiforgery.ValidateRequestAsync(context);
            return true;
        }
        catch (AntiforgeryValidationException)
        {
            return false;
        }
    }
}
