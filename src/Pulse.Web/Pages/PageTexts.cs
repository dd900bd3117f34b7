using System.Globalization;
using System.Resources;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Localization;
using Microsoft.Extensions.Options;

namespace Pulse.Web.Pages;

/// <summary>The texts of the pages in the language of the request. The key of a text is the English text.</summary>
/// <remarks>PageTexts.resx has the English texts, PageTexts.de.resx the German ones. Settings replace single texts, and the name.</remarks>
internal sealed partial class PageTexts(IStringLocalizer<PageTexts> localizer, IOptions<PagesOptions> options)
{
    /// <summary>The name of the product in the texts.</summary>
    public const string DefaultName = "Pulse";

    private static readonly ResourceManager s_resources = new(typeof(PageTexts));

    /// <summary>The languages, the default first. Each of the others has a file PageTexts.&lt;language&gt;.resx.</summary>
    public static readonly string[] Languages = ["en", "de"];

    /// <summary>The texts of the scripts.</summary>
    public static readonly string[] ScriptTexts =
    [
        "Ready", "Not ready", "No answer", "Last seen", "{0} of {1} here", "Online", "Away", "Busy", "Invisible", "Offline", "Unknown",
        "just now", "1 minute ago", "{0} minutes ago", "1 hour ago", "{0} hours ago", "1 day ago", "{0} days ago",
        "Connecting", "Reconnecting", "Not connected", "Connecting…", "The connection is lost; trying again…",
        "Connected. Open a second tab and close this one: you stay online until the last is gone.",
        "You are connected in too many places; this one is closed. Reload the page to come back.",
        "Not set: a text has at most 140 characters, and no control characters or line breaks.", "Not set: the server has refused it.",
        "Not set: this page is not connected any more. Reload it.", "Not set yet: it will be as soon as this page is connected.",
        "Setting…", "Set: others see you offline.", "Set: others see it now.",
        "Set for this device. Another device of yours decides what others see: {0}.",
    ];

    /// <summary>The language of the page, for <c>lang</c>.</summary>
    public static string Language => Culture.TwoLetterISOLanguageName;

    /// <summary>The culture of texts for people. Data has the invariant one.</summary>
    public static CultureInfo Culture => CultureInfo.CurrentUICulture;

    /// <summary>The name of the product, see <see cref="PagesOptions.Name"/>.</summary>
    public string Name => options.Value.Name;

    /// <summary>The texts of the scripts as JSON; <see langword="null"/> where they are those in the scripts.</summary>
    public string? ForScript
    {
        get
        {
            var texts = ScriptTexts.ToDictionary(text => text, text => this[text], StringComparer.Ordinal);
            return texts.All(text => text.Key == text.Value) ? null : JsonSerializer.Serialize(texts);
        }
    }

    /// <summary>The text for an English one.</summary>
    public string this[string key, params object?[] values]
    {
        get
        {
            var own = options.Value.Texts.FirstOrDefault(text => text.Of == key && (text.Language ?? Languages[0]) == Language)?.Is;
            var text = own ?? localizer[key].Value;
            if (Name != DefaultName) text = ProductName().Replace(text, _ => values.Length == 0 ? Name : Escaped(Name));
            return values.Length == 0 ? text : string.Format(Culture, text, Array.ConvertAll(values, value => value is Words words ? this[words] : value));
        }
    }

    /// <summary>The text for an English one.</summary>
    public string this[Words words] => this[words.Format, [.. words.Values]];

    /// <summary>Whether the pages have such an English text.</summary>
    public static bool Has(string key) => s_resources.GetString(key, CultureInfo.InvariantCulture) is not null;

    // A brace in a text with values begins a value.
    private static string Escaped(string name) =>
        name.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal);

    // Settings keep their names: Pulse:PublicUrl.
    [GeneratedRegex(@"\bPulse\b(?!:)")]
    private static partial Regex ProductName();
}
