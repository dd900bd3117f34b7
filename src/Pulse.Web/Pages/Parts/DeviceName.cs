namespace Pulse.Web.Pages.Parts;

/// <summary>A User-Agent header in a few words. A hint for the owner's eyes; nothing is decided by it.</summary>
/// <param name="Text">Such as "Firefox on Linux".</param>
/// <param name="IsPhone">Whether it is a phone or tablet.</param>
internal sealed record DeviceName(string Text, bool IsPhone)
{
    // Order matters: almost every browser also names those that it resembles.
    private static readonly (string Mark, string Name)[] s_browsers =
    [
        ("Edg", "Edge"), ("OPR/", "Opera"), ("SamsungBrowser/", "Samsung Internet"), ("Firefox/", "Firefox"), ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"), ("Chrome/", "Chrome"), ("Safari/", "Safari"), ("curl/", "curl"),
    ];

    private static readonly (string Mark, string Name, bool IsPhone)[] s_systems =
    [
        ("iPhone", "iPhone", true), ("iPad", "iPad", true), ("Android", "Android", true), ("Windows", "Windows", false),
        ("CrOS", "ChromeOS", false), ("Mac OS X", "macOS", false), ("Linux", "Linux", false),
    ];

    /// <summary>Reads a header; what it does not say or is not known here is left out.</summary>
    public static DeviceName From(string? userAgent)
    {
        var text = userAgent ?? "";
        var browser = s_browsers.FirstOrDefault(known => text.Contains(known.Mark, StringComparison.Ordinal)).Name;
        var system = s_systems.FirstOrDefault(known => text.Contains(known.Mark, StringComparison.Ordinal));
        return new((browser, system.Name) switch
        {
            (null, null) => "Unknown device",
            (null, _) => system.Name,
            (_, null) => browser,
            _ => $"{browser} on {system.Name}",
        }, system.IsPhone);
    }
}
