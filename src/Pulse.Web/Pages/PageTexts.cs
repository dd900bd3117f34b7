using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.Localization;
using Microsoft.Extensions.Options;

namespace Pulse.Web.Pages;

/// <summary>The texts of the pages in the language of the request. The key of a text is the English text.</summary>
/// <remarks>PageTexts.resx has the English texts, PageTexts.de.resx the German ones. Settings replace single texts, and the name.</remarks>
internal sealed class PageTexts(IStringLocalizer<PageTexts> localizer, IOptions<PagesOptions> options)
{
    private const string DefaultName = "Pulse";

    /// <summary>The languages, the default first.</summary>
    public static readonly string[] Languages = ["en", "de"];

    /// <summary>The texts of the scripts.</summary>
    public static readonly string[] ScriptTexts =
    [
        "Ready", "Not ready", "No answer", "Last seen", "{0} of {1} here", "Online", "Away", "Busy", "Invisible", "Offline", "Unknown",
        "just now", "1 minute ago", "{0} minutes ago", "1 hour ago", "{0} hours ago", "1 day ago", "{0} days ago",
        "Connecting", "Reconnecting", "Not connected", "Connecting…", "The connection is lost; trying again…",
        "Connected. Open a second tab and close this one: you stay online until the last is gone.",
        "You are connected in too many places; this one is closed. Reload the page to come back.",
        "Not set: {0}", "Not set: this page is not connected any more. Reload it.", "Not set yet: it will be as soon as this page is connected.",
        "Setting…", "Set: others see you offline.", "Set: others see it now.",
    ];

    /// <summary>The language of the page, for <c>lang</c>.</summary>
    public static string Language => CultureInfo.CurrentUICulture.TwoLetterISOLanguageName;

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
            if (Name != DefaultName) text = text.Replace(DefaultName, Name, StringComparison.Ordinal);
            return values.Length == 0 ? text : string.Format(CultureInfo.CurrentUICulture, text, values);
        }
    }

    /// <summary>The text for an English one.</summary>
    public string this[Words words] => this[words.Format, [.. words.Values]];
}
