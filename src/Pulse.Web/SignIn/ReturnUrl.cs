using System.Buffers;

namespace Pulse.Web.SignIn;

/// <summary>The page after a sign-in. Always a path of this site, whatever the request contains.</summary>
internal static class ReturnUrl
{
    /// <summary>The default page, also used if the requested one is on another site.</summary>
    public const string Dashboard = "/dashboard";

    private const int MaxLength = 2048;

    // RFC 3986: the characters of a path, query or fragment. Excluded are the backslash, which browsers treat as a slash, spaces and
    // control characters, which browsers strip before they parse the rest, and non-ASCII characters, some of which browsers fold into
    // ASCII.
    private static readonly SearchValues<char> s_allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?#%");

    /// <summary>The path with its query and fragment if it certainly stays on this site, otherwise <see cref="Dashboard"/>.</summary>
    /// <param name="url">A path as the browser sees it, with the base of this site or of another application at this origin.</param>
    /// <param name="pathBase">The request's. See <see cref="Http.SitePaths"/>.</param>
    /// <remarks>The rule is strict, because a refused harmless path costs one click and an open redirect costs a password.</remarks>
    public static string OrDashboard(string? url, PathString pathBase) => IsLocalPath(url, pathBase.Value ?? "") ? url! : pathBase.Value + Dashboard;

    private static bool IsLocalPath(string? url, string pathBase) =>
        url is ['/', ..] && url.Length <= MaxLength && !url.AsSpan().ContainsAnyExcept(s_allowed) && IsPlain(Path(url), pathBase);

    private static ReadOnlySpan<char> Path(string url) => url.AsSpan(0, url.AsSpan().IndexOfAny('?', '#') is var end and >= 0 ? end : url.Length);

    private static bool IsAction(ReadOnlySpan<char> path) => path.StartsWith("/auth/", StringComparison.OrdinalIgnoreCase);

    // An empty segment could become the first one ("//host") after another program resolves dot segments. A program that decodes the path
    // again must not find new slashes, dots, controls or further escapes.
    private static bool IsPlain(ReadOnlySpan<char> path, string pathBase)
    {
        if (path.IndexOf("//", StringComparison.Ordinal) >= 0) return false;
        for (var rest = path; rest.IndexOf('%') is var at and >= 0; rest = rest[(at + 3)..])
        {
            if (rest.Length < at + 3 || !char.IsAsciiHexDigit(rest[at + 1]) || !char.IsAsciiHexDigit(rest[at + 2])) return false;
            var decoded = (char)Convert.FromHexString(rest.Slice(at + 1, 2))[0];
            // RFC 3986 section 6.2.2.2: an escaped letter equals the letter, so a later reader would treat "/%61uth/" as "/auth/".
            if (decoded is '/' or '\\' or '.' or '%' or < ' ' or '\x7f' || char.IsAsciiLetterOrDigit(decoded)) return false;
        }

        // Paths below /auth/ perform actions, so a link from elsewhere must not lead there.
        if (IsAction(path) || (path.StartsWith(pathBase, StringComparison.OrdinalIgnoreCase) && IsAction(path[pathBase.Length..]))) return false;

        foreach (var segment in path.Split('/'))
        {
            if (path[segment] is "." or "..") return false;
        }

        return true;
    }
}
