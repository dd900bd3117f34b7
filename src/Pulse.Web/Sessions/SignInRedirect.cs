namespace Pulse.Web.Sessions;

/// <summary>
/// Marks an endpoint for people. A browser without a session is redirected to sign in and back, while an API client gets a 401.
/// </summary>
internal sealed class SignInRedirect
{
    /// <summary>The sign-in page.</summary>
    public const string SignInPath = "/signin";

    public static readonly SignInRedirect Instance = new();

    private SignInRedirect()
    {
    }

    /// <summary>Whether the endpoint is marked and a browser requests a page or posts a form.</summary>
    public static bool AppliesTo(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<SignInRedirect>() is not null
        && (HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method) || context.Request.HasFormContentType);

    /// <summary>The sign-in page with the address to return to. A form's own address is left out, because it is not a page.</summary>
    public static string For(HttpRequest request) => request.HasFormContentType
        ? request.PathBase + SignInPath
        : $"{request.PathBase}{SignInPath}?returnUrl={Uri.EscapeDataString(request.PathBase + request.Path + request.QueryString)}";
}

/// <summary>Extensions for endpoints for people.</summary>
internal static class SignInRedirectExtensions
{
    /// <summary>As RequireAuthorization, but redirects signed-out people to the sign-in page.</summary>
    public static TBuilder RequireSignIn<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder =>
        endpoint.RequireAuthorization().WithMetadata(SignInRedirect.Instance);
}
