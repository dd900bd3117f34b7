namespace Pulse.Web.Tokens;

/// <summary>Finds the access token of a request.</summary>
internal static class BearerToken
{
    private const string Scheme = "Bearer ";
    private static readonly PathString s_hubs = "/hubs";

    /// <summary>Whether the request is for a hub.</summary>
    public static bool IsForHub(HttpRequest request) => request.Path.StartsWithSegments(s_hubs);

    /// <summary>Whether the request must be authenticated by a token: it has an Authorization header, or is for a hub.</summary>
    /// <remarks>
    /// Hubs ignore cookies, because browsers let any page open a WebSocket to any site and send the cookies along, whatever the CORS rules.
    /// A header with a value other than a token never falls back to the cookie, because its sender intended another identity.
    /// </remarks>
    public static bool IsExpected(HttpRequest request) => request.Headers.Authorization.Count > 0 || IsForHub(request);

    /// <summary>
    /// The token of the Authorization header or, for hubs, of the <c>access_token</c> parameter. <see langword="null"/> if it is missing.
    /// </summary>
    /// <remarks>
    /// RFC 6750 section 2.3 warns of tokens in URLs, because URLs are logged. Browsers cannot send headers with a WebSocket, so only hubs
    /// accept one. Clients can avoid the token in the URL with a ticket: <see cref="HubTickets"/>.
    /// </remarks>
    public static string? Read(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        var token = header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim()
            : IsForHub(request) ? request.Query["access_token"].ToString()
            : "";
        return token.Length == 0 ? null : token;
    }
}
