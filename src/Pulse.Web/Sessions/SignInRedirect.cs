namespace Pulse.Web.Sessions;

/// <summary>Marks an endpoint that people visit: without a session they are sent to sign in and come back, where an API caller gets a 401.</summary>
internal sealed class SignInRedirect
{
    /// <summary>The sign-in page.</summary>
    public const string SignInPath = "/signin";

    public static readonly SignInRedirect Instance = new();

    private SignInRedirect()
    {
    }

    /// <summary>Whether the endpoint is marked and the request is somebody's browser going to a page or posting a form.</summary>
    public static bool AppliesTo(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<SignInRedirect>() is not null
        && (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method) || context.Request.HasFormContentType);

    /// <summary>The sign-in page, told where to come back to; a form's own address is nothing to come back to.</summary>
    public static string For(HttpRequest request) => request.HasFormContentType
        ? request.PathBase + SignInPath
        : $"{request.PathBase}{SignInPath}?returnUrl={Uri.EscapeDataString(request.PathBase + request.Path + request.QueryString)}";
}

/// <summary>Endpoints for people.</summary>
internal static class SignInRedirectExtensions
{
    /// <summary>As RequireAuthorization, with the way to the sign-in page for people who are signed out.</summary>
    public static TBuilder RequireSignIn<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder =>
        endpoint.RequireAuthorization().WithMetadata(SignInRedirect.Instance);
}
