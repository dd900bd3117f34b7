using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.Extensions.Localization;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Pulse.Web.Pages;
using Pulse.Web.Profiles;

namespace Pulse.Web.Tests.Pages;

/// <summary>The texts of the pages in each language.</summary>
public sealed class PageTextsTests
{
    private static readonly string s_sources = Path.Combine(Checkout.Root, "src", "Pulse.Web");

    internal static PageTexts Texts(PagesOptions? options = null) => new(
        new StringLocalizer<PageTexts>(new ResourceManagerStringLocalizerFactory(Options.Create(new LocalizationOptions()), NullLoggerFactory.Instance)),
        Options.Create(options ?? new PagesOptions()));

    [Fact]
    public void EveryText_OfPagesAndScripts_IsInBothLanguages()
    {
        var pages = Directory.EnumerateFiles(s_sources, "*.razor", SearchOption.AllDirectories).SelectMany(file => Matches(file, """\bT\["((?:[^"\\]|\\.)*)"""));
        var titles = Directory.EnumerateFiles(s_sources, "*.razor", SearchOption.AllDirectories).SelectMany(file => Matches(file, """<Shell Title="([^"@]*)"""));
        var errors = new[] { "SignIn/SignInErrors.cs" }.SelectMany(file => Matches(Path.Combine(s_sources, file), """[ ,$]"([^"]* [^"]*)"[,)]""").Select(Numbered));
        var scripts = Directory.EnumerateFiles(Path.Combine(s_sources, "Client", "src"), "*.ts").SelectMany(file => Matches(file, """\bt\('([^']*)'"""));

        var used = pages.Concat(titles).Concat(errors).Distinct().ToArray();
        Assert.InRange(used.Length, 100, 1000);
        Assert.Empty(used.Concat(PageTexts.ScriptTexts).Except(Keys("PageTexts.resx")));
        Assert.Equal(Keys("PageTexts.resx"), Keys("PageTexts.de.resx"));
        Assert.Empty(scripts.Except(PageTexts.ScriptTexts));
    }

    [Fact]
    public void German_HasTheValuesOfEachText()
    {
        var texts = File.ReadAllText(Path.Combine(s_sources, "Pages", "PageTexts.de.resx"));
        foreach (var data in XDocument.Parse(texts).Root!.Elements("data"))
        {
            var (key, value) = (data.Attribute("name")!.Value, data.Element("value")!.Value);
            Assert.Equal(Placeholders(key), Placeholders(value));
            Assert.True(value.Length > 0, key);
        }
    }

    [Fact]
    public void Text_FollowsTheLanguage_TheName_AndTheIntegratorsTexts()
    {
        var options = new PagesOptions { Name = "Acme" };
        options.Texts.Add(new() { Of = "Send me a link", Language = "de", Is = "Her mit dem Link" });
        var texts = Texts(options);

        Assert.Equal("Send me a link", texts["Send me a link"]);
        Assert.Equal("Acme is catching its breath", texts["Pulse is catching its breath"]);
        InGerman(() =>
        {
            Assert.Equal("Her mit dem Link", texts["Send me a link"]);
            Assert.Equal("Acme holt gerade Luft", texts["Pulse is catching its breath"]);
            Assert.Equal("Weiter mit Google", texts["Continue with {0}", "Google"]);
            Words words = $"{"Google"} is not available";
            Assert.Equal("Google ist nicht verfügbar", texts[words]);
            Assert.Contains("vor {0} Minuten", texts.ForScript, StringComparison.Ordinal);
        });
        Assert.Null(Texts().ForScript);
    }

    [Theory]
    [InlineData("#ffee00", "Pulse:Pages:Accent must be legible")]
    [InlineData("blue", "Pulse:Pages:Accent must be a colour")]
    [InlineData("#005533", null)]
    public void Accent_MustBeALegibleColour(string accent, string? fault)
    {
        var result = new PagesOptionsValidator().Validate(null, new PagesOptions { Accent = accent, AccentDark = "#9fe0c0" });

        if (fault is null) Assert.True(result.Succeeded, result.FailureMessage);
        else Assert.Contains(fault, result.FailureMessage, StringComparison.Ordinal);
    }

    private static void InGerman(Action act)
    {
        var before = CultureInfo.CurrentUICulture;
        CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo("de");
        try
        {
            act();
        }
        finally
        {
            CultureInfo.CurrentUICulture = before;
        }
    }

    private static string[] Keys(string file) =>
        [.. XDocument.Load(Path.Combine(s_sources, "Pages", file)).Root!.Elements("data").Select(data => data.Attribute("name")!.Value)];

    private static IEnumerable<string> Matches(string file, string pattern) =>
        Regex.Matches(File.ReadAllText(file), pattern).Select(match => Regex.Unescape(match.Groups[1].Value));

    // "{provider} is not available" is stored with {0}.
    private static string Numbered(string text)
    {
        var names = new List<string>();
        return Regex.Replace(text, @"\{(\w+)\}", match =>
        {
            if (!names.Contains(match.Value)) names.Add(match.Value);
            return $"{{{names.IndexOf(match.Value)}}}";
        });
    }

    private static string[] Placeholders(string text) => [.. Regex.Matches(text, @"\{\d\}").Select(match => match.Value).Order()];
}
