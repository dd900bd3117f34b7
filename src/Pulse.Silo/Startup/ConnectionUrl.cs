using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Pulse.Silo.Startup;

/// <summary>
/// A connection in the URL format of platforms: <c>scheme://user:password@host:port/path?word=value</c>, percent-encoded (RFC 3986).
/// </summary>
internal sealed record ConnectionUrl(
    string Scheme, string? User, string? Password, string Host, int? Port, string? Path, IReadOnlyList<(string Word, string Value)> Query)
{
    /// <summary>Whether the text is a URL with one of the schemes.</summary>
    /// <exception cref="FormatException">It is malformed, or has another scheme. The message repeats only the scheme.</exception>
    public static bool TryParse(string text, string[] schemes, [NotNullWhen(true)] out ConnectionUrl? url)
    {
        url = null;
        var end = text.IndexOf("://", StringComparison.Ordinal);
        if (end < 0 || !text[..end].All(c => char.IsAsciiLetterOrDigit(c) || c is '+' or '-' or '.' or ':')) return false;
        if (!schemes.Contains(text[..end], StringComparer.OrdinalIgnoreCase))
            throw new FormatException($"is a URL that begins with {text[..end]}://. Begin it with {schemes[0]}://, or write it as");
        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || uri.Fragment.Length > 0)
            throw new FormatException("is a URL that cannot be read: percent-encode what is no letter or digit in its user and password, or write it as");

        var user = uri.UserInfo.Split(':', 2);
        var path = Uri.UnescapeDataString(uri.AbsolutePath.Trim('/'));
        url = new(
            uri.Scheme,
            NullIfEmpty(Uri.UnescapeDataString(user[0])),
            user.Length == 2 ? NullIfEmpty(Uri.UnescapeDataString(user[1])) : null,
            uri.IdnHost,
            uri.Port > 0 ? uri.Port : null,
            NullIfEmpty(path),
            [
                .. from pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries)
                   let parts = pair.Split('=', 2)
                   select (Uri.UnescapeDataString(parts[0]).ToLower(CultureInfo.InvariantCulture), parts.Length == 2 ? Uri.UnescapeDataString(parts[1]) : ""),
            ]);
        return true;
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
