namespace Pulse.Web.Sessions;

/// <summary>The common name of a device, from its User-Agent.</summary>
/// <remarks>
/// A few well-known names replace a database of thousands, which is enough for the list of sign-ins. The User-Agent itself is stored.
/// </remarks>
internal static class DeviceName
{
    /// <summary>The name without a usable User-Agent.</summary>
    public const string Unknown = "Unknown device";

    /// <summary>The name of a browser that is none of the well-known ones.</summary>
    public const string AnyBrowser = "Browser";

    /// <summary>Between browser and system.</summary>
    public const string On = " on ";

    // Maximum length of a name from the User-Agent.
    private const int MaxProductLength = 40;

    // The order matters, because nearly every browser also claims to be those further down.
    private static readonly (string Mark, string Name)[] s_browsers =
    [
        ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Vivaldi/", "Vivaldi"), ("YaBrowser/", "Yandex Browser"),
        ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"), ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"),
    ];

    private static readonly (string Mark, string Name)[] s_systems =
    [
        ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"), ("Mac OS X", "macOS"), ("Linux", "Linux"),
    ];

    /// <summary>A name such as <c>Firefox on Windows</c>, or a program's own name. Never empty.</summary>
    public static string From(string? userAgent)
    {
        if (string.IsNullOrWhiteSpace(userAgent)) return Unknown;

        var browser = Find(s_browsers, userAgent);
        var system = Find(s_systems, userAgent);
        return (browser, system) switch
        {
            (not null, not null) => $"{browser}{On}{system}",
            (not null, null) => browser,
            (null, not null) when userAgent.StartsWith("Mozilla/", StringComparison.Ordinal) => $"{AnyBrowser}{On}{system}",
            _ => ProductOf(userAgent),
        };
    }

    private static string? Find((string Mark, string Name)[] names, string userAgent) =>
        Array.Find(names, name => userAgent.Contains(name.Mark, StringComparison.Ordinal)).Name;

    // RFC 9110 section 10.1.5: the first product is the program itself, such as "curl/8.5.0".
    private static string ProductOf(string userAgent)
    {
        var product = userAgent.AsSpan().TrimStart();
        var end = product.IndexOfAny("/ (");
        if (end >= 0) product = product[..end];
        return product.IsEmpty ? Unknown : product[..Math.Min(product.Length, MaxProductLength)].ToString();
    }
}
