namespace Pulse.Web.Tokens;

/// <summary>Where a request carries its access token.</summary>
internal static class BearerToken
{
    private const string Scheme = "Bearer ";
    private static readonly PathString s_hubs = "/hubs";

    /// <summary>Whether the request is for a hub.</summary>
    public static bool IsForHub(HttpRequest request) => request.Path.StartsWithSegments(s_hubs);

    /// <summary>Whether the request must be authenticated by a token: it has an Authorization header, or is for a hub.</summary>
    /// <remarks>
    /// Hubs take no cookie: browsers let any page open a WebSocket to any site and send the cookies along, CORS or not. A header that holds
    /// something else than a token does not fall back on the cookie: its sender did not mean to be that person.
    /// </remarks>
    public static bool IsExpected(HttpRequest request) => request.Headers.Authorization.Count > 0 || IsForHub(request);

    /// <summary>The token of the Authorization header or, for hubs, of the <c>access_token</c> parameter; <see langword="null"/> when there is none.</summary>
    /// <remarks>
    /// RFC 6750 section 2.3 warns of tokens in URLs, since URLs get logged; browsers cannot send headers with a WebSocket, so hubs alone take one. Clients
    /// that need not name their token there use a ticket: <see cref="HubTickets"/>.
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
