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

    /// <summary>The name that the pages show instead of Pulse.</summary>
    public string Name { get; set; } = "Pulse";

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
        if (string.IsNullOrWhiteSpace(options.Name)) yield return $"{Section}:Name must hold a name.";
        if (options.LogoFile is { } logo && !File.Exists(logo)) yield return $"{Section}:LogoFile must be the path of a picture; there is no file '{logo}'.";
        if (options is { Accent: null, AccentDark: not null }) yield return $"{Section}:AccentDark needs {Section}:Accent beside it.";

        // Links stand on these grounds, and WCAG 2.2 asks for 4.5 between a text and its ground.
        foreach (var (key, colour, ground) in new[] { ("Accent", options.Accent, "#f5f2eb"), ("AccentDark", options.AccentDark ?? options.Accent, "#191d27") })
        {
            if (colour is null) continue;
            if (!BrandFiles.IsColour(colour)) yield return $"{Section}:{key} must be a colour such as #2b437e; it is '{colour}'.";
            else if (BrandFiles.Contrast(colour, ground) is < 4.5 and var contrast)
                yield return FormattableString.Invariant($"{Section}:{key} must be legible: {colour} has a contrast of {contrast:0.0} to the ground {ground}, and 4.5 is the least.");
        }

        foreach (var (text, index) in options.Texts.Select((text, index) => (text, index)))
        {
            if (string.IsNullOrEmpty(text.Of) || string.IsNullOrEmpty(text.Is)) yield return $"{Section}:Texts:{index} must have Of, the English text, and Is, the one to show.";
            if (text.Language is not null && !PageTexts.Languages.Contains(text.Language))
                yield return $"{Section}:Texts:{index}:Language must be one of {string.Join(", ", PageTexts.Languages)}; it is '{text.Language}'.";
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
