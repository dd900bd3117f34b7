using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.Options;
using Pulse.Web.Http;

namespace Pulse.Web.Pages;

/// <summary>The integrator's name, logo and colours, as files of the site.</summary>
internal sealed class BrandFiles(IOptions<PagesOptions> options, SitePaths paths)
{
    public const string LogoPath = "/brand/logo";
    public const string ColoursPath = "/brand/colours.css";
    public const string ManifestPath = "/manifest.webmanifest";

    /// <summary>The ground of the pages in light mode, as in site.css.</summary>
    public const string LightGround = "#f5f2eb";

    /// <summary>The ground of the pages in dark mode, as in site.css.</summary>
    public const string DarkGround = "#11141b";

    // Of Pulse's links and buttons in site.css.
    private const string Accent = "#2b437e";

    private static readonly JsonSerializerOptions s_manifest = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The path of the logo's file, or <see langword="null"/> for Pulse's.</summary>
    public string? Logo => options.Value.LogoFile;

    /// <summary>A style sheet, or <see langword="null"/> for Pulse's colours.</summary>
    public string? Colours => options.Value is { Accent: { } light } pages ? StyleSheet(light, pages.AccentDark ?? light) : null;

    /// <summary>Maps the manifest, and the files that are set.</summary>
    public void Map(IEndpointRouteBuilder app)
    {
        var files = app.MapGroup("").AllowAnonymous().ExcludeFromDescription();
        var manifest = Manifest();
        files.MapGet(ManifestPath, () => Results.Bytes(manifest, "application/manifest+json"));
        if (Colours is { } colours) files.MapGet(ColoursPath, () => Results.Text(colours, "text/css"));
        if (Logo is not { } logo) return;
        var (path, type) = (Path.GetFullPath(logo), PictureType(logo));
        // Browsers ask for the last two where a page names no icon. They read the type of the answer, not of the URL.
        foreach (var route in new[] { LogoPath, "/favicon.ico", "/apple-touch-icon.png" })
            files.MapGet(route, () => Results.File(path, type));
    }

    // Web Application Manifest (W3C): the name, the icons and the first page of the site on a home screen. Its addresses are the browser's.
    private byte[] Manifest() => JsonSerializer.SerializeToUtf8Bytes(
        new
        {
            options.Value.Name,
            StartUrl = paths.For("/chat"),
            Scope = paths.For("/"),
            // An app of the home screen of iOS has its own cookies, so a link in a mail would sign in the browser instead.
            Display = "minimal-ui",
            BackgroundColor = LightGround,
            ThemeColor = options.Value.Accent ?? Accent,
            Icons = Icons().Select(icon => new { Src = paths.For(icon.Path), icon.Type, icon.Sizes, icon.Purpose }),
        },
        s_manifest);

    // "any" for a logo, because only its file knows its size.
    private IEnumerable<(string Path, string? Type, string Sizes, string Purpose)> Icons() => Logo is { } logo
        ? [(LogoPath, PictureType(logo), "any", "any")]
        :
        [
            ("/favicon.svg", "image/svg+xml", "any", "any"),
            ("/icon.png", "image/png", "512x512", "any"),
            ("/icon.png", "image/png", "512x512", "maskable"),
        ];

    /// <summary>The media type of a picture's file by its name; <see langword="null"/> if it is no picture.</summary>
    public static string? PictureType(string path) =>
        new FileExtensionContentTypeProvider().TryGetContentType(path, out var type) && type.StartsWith("image/", StringComparison.Ordinal) ? type : null;

    /// <summary>Whether the text is a colour such as #2b437e.</summary>
    public static bool IsColour(string text) =>
        text is ['#', _, _, _, _, _, _] && int.TryParse(text.AsSpan(1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _);

    /// <summary>The contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").</summary>
    public static double Contrast(string one, string other)
    {
        var (a, b) = (Luminance(one), Luminance(other));
        return (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);
    }

    private static string StyleSheet(string light, string dark) =>
        $":root {{ --accent: light-dark({light}, {dark}); --on-accent: light-dark({On(light)}, {On(dark)}); --beat: var(--accent); }}\n";

    private static string On(string colour) => Contrast(colour, "#ffffff") >= Contrast(colour, "#131a2b") ? "#ffffff" : "#131a2b";

    private static double Luminance(string colour)
    {
        var channels = Enumerable.Range(0, 3).Select(index =>
        {
            var value = int.Parse(colour.AsSpan(1 + (2 * index), 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) / 255.0;
            return value <= 0.04045 ? value / 12.92 : Math.Pow((value + 0.055) / 1.055, 2.4);
        }).ToArray();
        return (0.2126 * channels[0]) + (0.7152 * channels[1]) + (0.0722 * channels[2]);
    }
}
