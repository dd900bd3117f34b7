using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Microsoft.Extensions.Configuration;
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

    // Sources whose sentences are all texts of pages.
    private static readonly string[] s_sentences =
        ["SignIn/SignInErrors.cs", "SignIn/NoticeWords.cs", "SignIn/DeviceWords.cs", "Pages/ErrorPages.cs", "Pages/DashboardNotice.cs", "Dashboard/ProfileForm.cs"];

    internal static PageTexts Texts(PagesOptions? options = null) => new(
        new StringLocalizer<PageTexts>(
            new ResourceManagerStringLocalizerFactory(Options.Create(new LocalizationOptions()), NullLoggerFactory.Instance)),
        Options.Create(options ?? new PagesOptions()));

    [Fact]
    public void EveryText_OfPagesAndScripts_IsInAllLanguages()
    {
        string[] razor = Directory.GetFiles(s_sources, "*.razor", SearchOption.AllDirectories);
        var titles = razor.SelectMany(file => Matches(file, """<Shell Title="([^"@]+)"""));
        var pages = razor.SelectMany(file => Matches(file, """\bT\[((?:\$?"(?:[^"\\]|\\.)*"|[^\]"])*)\]""")).SelectMany(FirstArgument);
        var mails = Matches(Path.Combine(s_sources, "SignIn", "SignInMails.cs"), """\btexts\["((?:[^"\\]|\\.)*)["]""");
        var sentences = s_sentences.SelectMany(file => Literals(File.ReadAllText(Path.Combine(s_sources, file))));
        var errors = Directory.EnumerateFiles(s_sources, "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => Matches(file, """Page\.Error\(((?:"(?:[^"\\]|\\.)*"|[^;"])*);""")).SelectMany(Literals);
        var rules = new[] { new string('x', ProfileRules.MaxNameLength + 1), "a\nb", " " }.Select(name => ProfileRules.NameFault(name)!);
        var words = Directory.EnumerateFiles(s_sources, "*.cs", SearchOption.AllDirectories)
            .SelectMany(file => Matches(file, """\(Words\)\$?"((?:[^"\\]|\\.)*)["]""")).Select(Numbered).Where(HasWords);
        // The groups of the list of people, the formats of RelativeTime, and the names of SignInProviders.
        string[] others = ["All", "Here", "d MMMM yyyy", "E-mail link", "Development sign-in"];
        var scripts = Directory.GetFiles(Path.Combine(s_sources, "Client", "src"), "*.ts").SelectMany(file => Matches(file, """\bt\('([^']*)'"""));

        string[] used = [.. titles.Concat(pages).Concat(mails).Concat(sentences).Concat(errors).Concat(words).Concat(rules).Concat(others).Concat(PageTexts.ScriptTexts).Distinct()];
        Assert.InRange(used.Length, 100, 1000);
        Assert.Empty(used.Except(Keys("PageTexts.resx")));
        Assert.Empty(Keys("PageTexts.resx").Except(used));
        Assert.Empty(scripts.Except(PageTexts.ScriptTexts));
        Assert.All(PageTexts.Languages[1..], language => Assert.Equal(Keys("PageTexts.resx"), Keys($"PageTexts.{language}.resx")));
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

    [Fact]
    public void Name_ReplacesTheProductInTexts_ButNotInNamesOfSettings()
    {
        var texts = Texts(new() { Name = "{Acme}" });

        Assert.Equal("Pulse Ltd did not tell {Acme} your e-mail address.", texts["{0} did not tell Pulse your e-mail address.", "Pulse Ltd"]);
        Assert.Equal("Open it by its https address. Operators: see Pulse:PublicUrl and Pulse:Http:TrustedProxies.",
            texts["Open it by its https address. Operators: see Pulse:PublicUrl and Pulse:Http:TrustedProxies."]);
    }

    public static TheoryData<string, string, string?> Settings => new()
    {
        { "Accent", "#005533", null },
        { "Accent", "#ffee00", "Pulse:Pages:Accent must have a contrast of at least 4.5 to the ground #f0ece2; '#ffee00' has 1." },
        { "Accent", "blue", "Pulse:Pages:Accent must be a colour such as #2b437e; it is 'blue'." },
        { "AccentDark", "#005533", "Pulse:Pages:AccentDark must have a contrast of at least 4.5" },
        { "Name", "Acme", null },
        { "Name", " ", "Pulse:Pages:Name must be 1 to 40 characters" },
        { "Language", "de", null },
        { "Language", "fr", "Pulse:Pages:Language must be en or de, or unset" },
        { "LogoFile", "/nowhere/logo.svg", "there is no file '/nowhere/logo.svg'" },
        { "LogoFile", "/etc/hosts", "Pulse:Pages:LogoFile must be a picture" },
        { "Texts:0:Is", "Continue with it", null },
        { "Texts:0:Is", "{1}", "Pulse:Pages:Texts:0:Is may have only the values of 'Continue with {0}'" },
        { "Texts:0:Is", "{", "Pulse:Pages:Texts:0:Is may have only the values" },
        { "Texts:0:Of", "Log in", "Pulse:Pages:Texts:0:Of must be an English text of the pages" },
        { "Texts:0:Language", "fr", "Pulse:Pages:Texts:0:Language must be en or de;" },
    };

    [Theory]
    [MemberData(nameof(Settings))]
    public void Setting_ThatThePagesCannotUse_IsAFaultThatNamesIt(string key, string value, string? fault)
    {
        var options = new PagesOptions { Accent = "#005533", AccentDark = "#9fe0c0" };
        var settings = new Dictionary<string, string?> { ["Texts:0:Of"] = "Continue with {0}", ["Texts:0:Is"] = "Go on with {0}", [key] = value };
        new ConfigurationBuilder().AddInMemoryCollection(settings).Build().Bind(options);

        var result = new PagesOptionsValidator().Validate(null, options);

        if (fault is null) Assert.True(result.Succeeded, result.FailureMessage);
        else Assert.Contains(fault, result.FailureMessage, StringComparison.Ordinal);
    }

    /// <summary>English texts that differ in German, those with values left out.</summary>
    internal static string[] EnglishTexts { get; } = [.. Keys("PageTexts.resx").Where(key => Placeholders(key).Length == 0).Except(
        XDocument.Load(Path.Combine(s_sources, "Pages", "PageTexts.de.resx")).Root!.Elements("data").Select(data => data.Element("value")!.Value))];

    /// <summary>As <see cref="EnglishTexts"/>, of the script of the chat.</summary>
    internal static string[] EnglishTextsOfTheChat { get; } = [.. ChatTexts("en").Except(ChatTexts("de"))];

    [Fact]
    public void EveryText_OfTheChat_IsShown_AndEveryLanguageHasAScript()
    {
        var folder = Path.Combine(s_sources, "Client", "src", "chat");
        var names = Regex.Matches(File.ReadAllText(Path.Combine(folder, "texts", "en.ts")), @"^ {2}(\w+):", RegexOptions.Multiline).Select(match => match.Groups[1].Value);
        var script = string.Concat(Directory.GetFiles(folder, "*.ts*").Select(File.ReadAllText));

        Assert.InRange(EnglishTextsOfTheChat.Length, 100, 1000);
        Assert.DoesNotContain(names, name => !Regex.IsMatch(script, $@"\btexts\.{name}\b|\{{ {name} \}} = texts"));
        Assert.Equal(PageTexts.Languages.Order(), Directory.GetFiles(Path.Combine(folder, "texts")).Select(Path.GetFileNameWithoutExtension).Where(name => name != "index").Order());
    }

    internal static void InGerman(Action act)
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

    private static IEnumerable<string> ChatTexts(string language) =>
        Matches(Path.Combine(s_sources, "Client", "src", "chat", "texts", $"{language}.ts"), @"'([^'\n]+)'");

    private static IEnumerable<string> Matches(string file, string pattern) =>
        Regex.Matches(File.ReadAllText(file), pattern).Select(match => Regex.Unescape(match.Groups[1].Value));

    // The texts of T[first, values], where the first may choose between two.
    private static IEnumerable<string> FirstArgument(string arguments) => Regex
        .Matches(arguments, """\$"(?:[^"\\]|\\.)*"|"((?:[^"\\]|\\.)*)"|,""")
        .TakeWhile(match => match.Value != ",").Where(match => match.Groups[1].Success).Select(match => match.Groups[1].Value);

    // Literals that begin as a sentence does. "{provider} is not available" is stored with {0}.
    private static IEnumerable<string> Literals(string source) => Regex
        .Matches(Regex.Replace(source, @"//.*", ""), """\$?"((?:[^"\\]|\\.)*)["]""")
        .Select(match => Numbered(match.Groups[1].Value)).Where(text => Regex.IsMatch(text, @"^(?:[A-Z]|\{0\} )") && HasWords(text));

    // "{0} ({1})" is the same in all languages.
    private static bool HasWords(string text) => text.Any(char.IsLetter);

    private static string Numbered(string text)
    {
        var names = new List<string>();
        return Regex.Replace(text, @"\{([\w.]+)\}", match =>
        {
            if (!names.Contains(match.Value)) names.Add(match.Value);
            return $"{{{names.IndexOf(match.Value)}}}";
        });
    }

    private static string[] Placeholders(string text) => [.. Regex.Matches(text, @"\{\d\}").Select(match => match.Value).Order()];
}
