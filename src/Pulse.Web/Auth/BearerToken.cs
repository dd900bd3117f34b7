namespace Pulse.Web.Auth;

/// <summary>Where a request carries its access token.</summary>
internal static class BearerToken
{
    private const string Scheme = "Bearer ";
    private static readonly PathString s_hubs = "/hubs";

    /// <summary>The token of the Authorization header or, for hubs, of the <c>access_token</c> parameter; <see langword="null"/> when there is none.</summary>
    /// <remarks>
    /// RFC 6750 section 2.3 warns of tokens in URLs, since URLs get logged; browsers cannot send headers with a WebSocket, so hubs alone take one.
    /// </remarks>
    public static string? Read(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        var token = header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim()
            : request.Path.StartsWithSegments(s_hubs) ? request.Query["access_token"].ToString()
            : "";
        return token.Length == 0 ? null : token;
    }
}
