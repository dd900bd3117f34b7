using System.Globalization;
using Microsoft.AspNetCore.StaticFiles;
using Microsoft.Extensions.Options;

namespace Pulse.Web.Pages;

/// <summary>The integrator's logo and colours, as files of the site.</summary>
internal sealed class BrandFiles(IOptions<PagesOptions> options)
{
    public const string LogoPath = "/brand/logo";
    public const string ColoursPath = "/brand/colours.css";

    /// <summary>The path of the logo's file, or <see langword="null"/> for Pulse's.</summary>
    public string? Logo => options.Value.LogoFile;

    /// <summary>A style sheet, or <see langword="null"/> for Pulse's colours.</summary>
    public string? Colours => options.Value is { Accent: { } light } pages
        ? $":root {{ --accent: light-dark({light}, {pages.AccentDark ?? light}); --on-accent: light-dark({On(light)}, {On(pages.AccentDark ?? light)}); --beat: var(--accent); }}\n"
        : null;

    /// <summary>Maps the files that are set.</summary>
    public void Map(IEndpointRouteBuilder app)
    {
        if (Colours is { } colours) app.MapGet(ColoursPath, () => Results.Text(colours, "text/css")).AllowAnonymous().ExcludeFromDescription();
        if (Logo is not { } logo) return;
        var type = new FileExtensionContentTypeProvider().TryGetContentType(logo, out var known) ? known : "application/octet-stream";
        app.MapGet(LogoPath, () => Results.File(Path.GetFullPath(logo), type)).AllowAnonymous().ExcludeFromDescription();
    }

    /// <summary>Whether the text is a colour such as #2b437e.</summary>
    public static bool IsColour(string text) => text is ['#', _, _, _, _, _, _] && int.TryParse(text.AsSpan(1), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _);

    /// <summary>The contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio").</summary>
    public static double Contrast(string one, string other)
    {
        var (a, b) = (Luminance(one), Luminance(other));
        return (Math.Max(a, b) + 0.05) / (Math.Min(a, b) + 0.05);
    }

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
