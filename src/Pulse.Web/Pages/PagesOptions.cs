using System.Text;
using Microsoft.Extensions.Options;

namespace Pulse.Web.Pages;

/// <summary>Content of the pages.</summary>
internal sealed class PagesOptions
{
    public const string SectionName = "Pulse:Pages";

    /// <summary>
    /// Whether the dashboard lists the other users to signed-in users, as far as <see cref="Presence.IPresencePolicy"/> allows. If it is
    /// unset, only in Development, because names and pictures of all users are private by default.
    /// </summary>
    public bool? ListPeople { get; set; }

    /// <summary>
    /// The hosts of users' pictures: <c>avatars.example.com</c>, or <c>*.example.com</c> for all hosts below it. Default any, over https. A
    /// picture's host learns the address of every viewer.
    /// </summary>
    public IList<string> PictureHosts { get; } = [];

    /// <summary>
    /// The language of all pages and mails, <c>en</c> or <c>de</c>. Default the visitor's, by Accept-Language, and English for notices.
    /// </summary>
    public string? Language { get; set; }

    /// <summary>The name that pages and mails show instead of Pulse, at most 40 characters.</summary>
    public string Name { get; set; } = PageTexts.DefaultName;

    /// <summary>Path of a picture file, square, that the pages show instead of Pulse's line.</summary>
    public string? LogoFile { get; set; }

    /// <summary>Colour of links and buttons, such as <c>#2b437e</c>.</summary>
    public string? Accent { get; set; }

    /// <summary>The same in dark mode. Default <see cref="Accent"/>.</summary>
    public string? AccentDark { get; set; }

    /// <summary>Texts that replace Pulse's.</summary>
    public IList<OwnText> Texts { get; } = [];

    /// <summary>The hosts in the format of Content-Security-Policy.</summary>
    public string PictureSources => PictureHosts.Count == 0 ? "https:" : string.Join(' ', PictureHosts.Select(host => $"https://{host}"));
}

/// <summary>Refuses values that are not host names.</summary>
internal sealed class PagesOptionsValidator : IValidateOptions<PagesOptions>
{
    private const int MaxNameLength = 40;

    // The grounds of site.css on which the contrast is least.
    private const string LightGround = "#f0ece2";
    private const string DarkGround = "#232937";

    private static readonly string s_languages = string.Join(" or ", PageTexts.Languages);

    public ValidateOptionsResult Validate(string? name, PagesOptions options)
    {
        var faults = options.PictureHosts
            .Select((host, index) => (host, index))
            .Where(entry => !IsHost(entry.host))
            .Select(entry =>
                $"{PagesOptions.SectionName}:PictureHosts:{entry.index} must be a host name such as avatars.example.com or *.example.com; it is '{entry.host}'.")
            .Concat(BrandFaults(options))
            .ToArray();
        return faults.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }

    private static IEnumerable<string> BrandFaults(PagesOptions options)
    {
        const string Section = PagesOptions.SectionName;
        if (string.IsNullOrWhiteSpace(options.Name) || options.Name.Length > MaxNameLength || options.Name.Any(char.IsControl))
            yield return $"{Section}:Name must be 1 to {MaxNameLength} characters on one line; it is '{options.Name}'.";
        if (options.Language is { } language && !PageTexts.Languages.Contains(language))
            yield return $"{Section}:Language must be {s_languages}, or unset for the visitor's; it is '{language}'.";

        if (options.LogoFile is { } logo)
        {
            if (BrandFiles.PictureType(logo) is null) yield return $"{Section}:LogoFile must be a picture such as logo.svg or logo.png; it is '{logo}'.";
            else if (!File.Exists(logo)) yield return $"{Section}:LogoFile must be the path of a picture; there is no file '{logo}'.";
        }

        if (options is { Accent: null, AccentDark: not null }) yield return $"{Section}:AccentDark needs {Section}:Accent beside it.";
        foreach (var fault in ColourFaults($"{Section}:Accent", options.Accent, LightGround)) yield return fault;
        foreach (var fault in ColourFaults($"{Section}:AccentDark", options.AccentDark ?? options.Accent, DarkGround)) yield return fault;

        foreach (var (text, index) in options.Texts.Select((text, index) => (text, $"{Section}:Texts:{index}")))
        {
            if (string.IsNullOrEmpty(text.Of) || string.IsNullOrEmpty(text.Is))
                yield return $"{index} must have Of, the English text, and Is, the one to show.";
            else if (!PageTexts.Has(text.Of))
                yield return $"{index}:Of must be an English text of the pages, from PageTexts.resx; it is '{text.Of}'.";
            else if (!HasValuesOf(text.Is, text.Of))
                yield return $"{index}:Is may have only the values of '{text.Of}', such as {{0}}; it is '{text.Is}'.";
            if (text.Language is not null && !PageTexts.Languages.Contains(text.Language))
                yield return $"{index}:Language must be {s_languages}; it is '{text.Language}'.";
        }
    }

    // WCAG 2.2, success criterion 1.4.3, requires 4.5 between a text, such as a link's, and its ground.
    private static IEnumerable<string> ColourFaults(string setting, string? colour, string ground)
    {
        if (colour is null) yield break;
        if (!BrandFiles.IsColour(colour)) yield return $"{setting} must be a colour such as #2b437e; it is '{colour}'.";
        else if (BrandFiles.Contrast(colour, ground) is < 4.5 and var contrast)
            yield return FormattableString.Invariant($"{setting} must have a contrast of at least 4.5 to the ground {ground}; '{colour}' has {contrast:0.0}.");
    }

    // Otherwise each rendering of the text would fail. A text without values is shown as it is.
    private static bool HasValuesOf(string text, string original)
    {
        var values = CompositeFormat.Parse(original).MinimumArgumentCount;
        if (values == 0) return true;
        try
        {
            return CompositeFormat.Parse(text).MinimumArgumentCount <= values;
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static bool IsHost(string? text) =>
        text is not null && Uri.CheckHostName(text.StartsWith("*.", StringComparison.Ordinal) ? text[2..] : text) == UriHostNameType.Dns;
}

/// <summary>A text that replaces one of Pulse's.</summary>
internal sealed class OwnText
{
    /// <summary>The English text of Pulse.</summary>
    public string Of { get; set; } = "";

    /// <summary>The language for which it is replaced. Default English.</summary>
    public string? Language { get; set; }

    /// <summary>The text to show.</summary>
    public string Is { get; set; } = "";
}
