using System.Buffers;

namespace Pulse.Web.SignIn;

/// <summary>Where to go after signing in: a path of this site, whatever was asked for.</summary>
internal static class ReturnUrl
{
    /// <summary>Where somebody goes who was on their way nowhere, or somewhere else than this site.</summary>
    public const string Dashboard = "/dashboard";

    private const int MaxLength = 2048;

    // RFC 3986: what may stand in a path, query or fragment. No backslash, which browsers take for a slash; no space or control character, which
    // they strip before they look at what is left; nothing beyond ASCII, some of which they fold into ASCII.
    private static readonly SearchValues<char> s_allowed = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/?#%");

    /// <summary>That path with its query and fragment if it certainly stays on this site, else <see cref="Dashboard"/>.</summary>
    /// <param name="url">A path as the browser sees it, with the base of this site or of another application at this origin.</param>
    /// <param name="pathBase">The request's; see <see cref="Http.SitePaths"/>.</param>
    /// <remarks>Strict rather than clever: an odd but harmless path costs one click, an open redirect a password.</remarks>
    public static string OrDashboard(string? url, PathString pathBase) => IsLocalPath(url, pathBase.Value ?? "") ? url! : pathBase.Value + Dashboard;

    private static bool IsLocalPath(string? url, string pathBase) =>
        url is ['/', ..] && url.Length <= MaxLength && !url.AsSpan().ContainsAnyExcept(s_allowed) && IsPlain(Path(url), pathBase);

    private static ReadOnlySpan<char> Path(string url) => url.AsSpan(0, url.AsSpan().IndexOfAny('?', '#') is var end and >= 0 ? end : url.Length);

    private static bool IsAction(ReadOnlySpan<char> path) => path.StartsWith("/auth/", StringComparison.OrdinalIgnoreCase);

    // An empty segment could end up in front ("//host") once somebody resolves dot segments; and whoever decodes the path once more must
    // not find slashes, dots, controls or further escapes that were not there before.
    private static bool IsPlain(ReadOnlySpan<char> path, string pathBase)
    {
        if (path.IndexOf("//", StringComparison.Ordinal) >= 0) return false;
        for (var rest = path; rest.IndexOf('%') is var at and >= 0; rest = rest[(at + 3)..])
        {
            if (rest.Length < at + 3 || !char.IsAsciiHexDigit(rest[at + 1]) || !char.IsAsciiHexDigit(rest[at + 2])) return false;
            var decoded = (char)Convert.FromHexString(rest.Slice(at + 1, 2))[0];
            // RFC 3986 section 6.2.2.2: an escaped letter is the letter, so that "/%61uth/" would be "/auth/" to a later reader.
            if (decoded is '/' or '\\' or '.' or '%' or < ' ' or '\x7f' || char.IsAsciiLetterOrDigit(decoded)) return false;
        }

        // What lies below /auth/ does things rather than shows them: not something to be led to by a link from elsewhere.
        if (IsAction(path) || (path.StartsWith(pathBase, StringComparison.OrdinalIgnoreCase) && IsAction(path[pathBase.Length..]))) return false;

        foreach (var segment in path.Split('/'))
        {
            if (path[segment] is "." or "..") return false;
        }

        return true;
    }
}
