using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Pulse.Web.Sessions;

namespace Pulse.Web.Pages;

/// <summary>Marks pages for people who are signed in.</summary>
internal static class RequireSignInExtensions
{
    /// <summary>Lets only signed-in people in; others are sent to <c>/signin</c> and come back here afterwards.</summary>
    public static TBuilder RequireSignIn<TBuilder>(this TBuilder page) where TBuilder : IEndpointConventionBuilder =>
        page.RequireAuthorization(new AuthorizeAttribute { AuthenticationSchemes = SessionHandler.Scheme }).WithMetadata(SignInRedirect.Marker);
}

/// <summary>Sends whoever is not signed in from a page to the sign-in page. Endpoints that are no pages keep their 401.</summary>
internal sealed class SignInRedirect : IAuthorizationMiddlewareResultHandler
{
    /// <summary>Endpoint metadata of pages.</summary>
    public static readonly object Marker = new PageMarker();

    private readonly AuthorizationMiddlewareResultHandler _default = new();

    public Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        if (!authorizeResult.Challenged || context.GetEndpoint()?.Metadata.GetMetadata<PageMarker>() is null)
            return _default.HandleAsync(next, context, policy, authorizeResult);

        // A form post cannot be come back to: what was typed is gone, and it must not be sent by a mere redirect.
        var request = context.Request;
        var back = HttpMethods.IsGet(request.Method) ? request.Path + request.QueryString.ToUriComponent() : "/dashboard";
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = $"/signin?returnUrl={Uri.EscapeDataString(back)}";
        return Task.CompletedTask;
    }

    private sealed class PageMarker;
}
