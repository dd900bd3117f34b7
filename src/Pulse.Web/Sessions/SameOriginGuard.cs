using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authorization;
using Microsoft.Net.Http.Headers;
using Pulse.Web.Audit;
using Pulse.Web.Http;

namespace Pulse.Web.Sessions;

/// <summary>Protects signed-in users against requests from pages of other sites (cross-site request forgery).</summary>
/// <remarks>
/// SameSite=Lax alone is insufficient: it compares sites instead of origins, so that a sibling host's page may post. A request that changes
/// data must be proven to come from this origin. The proof is Sec-Fetch-Site (W3C Fetch Metadata), which scripts cannot set, or Origin (RFC
/// 6454 section 7) if a browser does not send it, as over plain http. A form also carries an antiforgery token. Anonymous requests are
/// checked too if any page's form could have sent them, because signing a user in as the attacker is also an attack (login CSRF). A request
/// with an access token needs no check, because browsers never add one by themselves.
/// </remarks>
internal sealed class SameOriginGuard(RequestDelegate next, IAntiforgery antiforgery)
{
    private enum From
    {
        ThisOrigin,
        Elsewhere,

        /// <summary>The client is an old browser or another program, or a proxy has removed the headers.</summary>
        Unknown,
    }

    // A socket is a GET for as long as it lives, so this method must not keep an async state machine for it.
    public Task InvokeAsync(HttpContext context) => IsSafe(context.Request.Method) ? next(context) : GuardAsync(context);

    private async Task GuardAsync(HttpContext context)
    {
        var request = context.Request;
        var from = Find(request);

        // On anonymous routes the cookie is ignored.
        if (!SessionPrincipal.IsFromCookie(context.User) || context.GetEndpoint()?.Metadata.GetMetadata<IAllowAnonymous>() is not null)
        {
            await (from == From.Elsewhere && CanAnyPageSend(request)
                ? RefuseAsync(context, ProblemTypes.CrossSite, "A page of another site has sent this form. Open this site's own page and try again.")
                : next(context));
        }
        else if (from != From.ThisOrigin)
        {
            await RefuseAsync(
                context, ProblemTypes.CrossSite,
                "A change with the session cookie must come from a page of this site. Programs: send an access token in the "
                + $"Authorization header, or the header Origin: {OwnOrigin(request)}. Behind a proxy: make sure that it forwards Host, and list it in Pulse:Http:TrustedProxies.");
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
        // "none" is a direct action of the user in the browser, and such actions never change data here.
        if (request.Headers["Sec-Fetch-Site"] is { Count: > 0 } site) return site == "same-origin" ? From.ThisOrigin : From.Elsewhere;
        if (request.Headers.Origin is { Count: > 0 } origin)
            return string.Equals(origin, OwnOrigin(request), StringComparison.OrdinalIgnoreCase) ? From.ThisOrigin : From.Elsewhere;
        return From.Unknown;
    }

    private static string OwnOrigin(HttpRequest request) => $"{request.Scheme}://{request.Host.Value}";

    // Fetch, "CORS-safelisted request-header": with any other content type, or an Authorization header, a browser sends a preflight request
    // first, which CORS answers.
    private static bool CanAnyPageSend(HttpRequest request) =>
        request.Headers.Authorization.Count == 0 && !request.Path.StartsWithSegments("/hubs")
        && (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
            || type.MediaType.Value?.ToLowerInvariant() is "application/x-www-form-urlencoded" or "multipart/form-data" or "text/plain");

    private async Task<bool> HasFormTokenAsync(HttpContext context)
    {
        // Read the form first, because antiforgery's exception for malformed forms does not distinguish client errors from server errors.
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
