using System.Net;
using System.Text.Json;

namespace Pulse.Web.Tests.Pages;

/// <summary>The integrator's name, logo, colours and language on the pages.</summary>
public sealed class BrandTests(BrandTests.Branded pulse) : IClassFixture<BrandTests.Branded>
{
    private static readonly string s_logo = Path.Combine(Checkout.Root, "src", "Pulse.Web", "wwwroot", "icon.png");

    [Fact]
    public async Task Page_HasTheNameLogoColoursAndLanguageOfTheSettings()
    {
        var page = (await pulse.Anonymous.GetStringAsync("/signin")).Replace(" />", ">", StringComparison.Ordinal);

        Assert.Contains("<html lang=\"de\"", page, StringComparison.Ordinal);
        Assert.Contains("<title>Log dich ein · A&B</title>", WebUtility.HtmlDecode(page), StringComparison.Ordinal);
        Assert.Contains("<link rel=\"icon\" href=\"/brand/logo\">", page, StringComparison.Ordinal);
        Assert.Contains("<link rel=\"apple-touch-icon\" href=\"/brand/logo\">", page, StringComparison.Ordinal);
        Assert.Contains("<img src=\"/brand/logo\"", page, StringComparison.Ordinal);
        Assert.Contains("<link rel=\"stylesheet\" href=\"/brand/colours.css\">", page, StringComparison.Ordinal);
        Assert.DoesNotContain("Pulse", page, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/brand/logo")]
    [InlineData("/favicon.ico")]
    [InlineData("/apple-touch-icon.png")]
    public async Task Logo_IsAFileOfTheSite_WhichTheContentSecurityPolicyAllows(string path)
    {
        using var answer = await pulse.Anonymous.GetAsync(path);

        Assert.Equal("image/png", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(await File.ReadAllBytesAsync(s_logo), await answer.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task Colours_AreAStyleSheetForBothSchemes()
    {
        using var answer = await pulse.Anonymous.GetAsync("/brand/colours.css");

        Assert.Equal("text/css", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(
            ":root { --accent: light-dark(#005533, #9fe0c0); --on-accent: light-dark(#ffffff, #131a2b); --beat: var(--accent); }\n",
            await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Manifest_HasTheNameColourAndLogo()
    {
        using var answer = await pulse.Anonymous.GetAsync("/manifest.webmanifest");

        Assert.Equal("application/manifest+json", answer.Content.Headers.ContentType?.MediaType);
        var manifest = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(("A&B", "#005533"), (manifest.GetProperty("name").GetString(), manifest.GetProperty("theme_color").GetString()));
        var icon = Assert.Single(manifest.GetProperty("icons").EnumerateArray());
        Assert.Equal(("/brand/logo", "image/png"), (icon.GetProperty("src").GetString(), icon.GetProperty("type").GetString()));
    }

    [Fact]
    public async Task ScriptTexts_AreJsonWithoutMarkup()
    {
        var page = await pulse.Anonymous.GetStringAsync("/signin");
        var json = page.Split("<script type=\"application/json\" id=\"texts\">")[1].Split("</script>")[0];

        Assert.DoesNotContain("<", json, StringComparison.Ordinal);
        Assert.Equal("Online </script>", JsonSerializer.Deserialize<Dictionary<string, string>>(json)!["Online"]);
    }

    public sealed class Branded() : PulseApplication([
        new("Pulse:Pages:Name", "A&B"), new("Pulse:Pages:Language", "de"), new("Pulse:Pages:LogoFile", s_logo),
        new("Pulse:Pages:Accent", "#005533"), new("Pulse:Pages:AccentDark", "#9fe0c0"),
        new("Pulse:Pages:Texts:0:Of", "Sign in"), new("Pulse:Pages:Texts:0:Language", "de"), new("Pulse:Pages:Texts:0:Is", "Log dich ein"),
        new("Pulse:Pages:Texts:1:Of", "Online"), new("Pulse:Pages:Texts:1:Language", "de"),
        new("Pulse:Pages:Texts:1:Is", "Online </script>"),
    ]);
}

/// <summary>The files that browsers and robots ask for at fixed addresses.</summary>
[Collection(SharedPulse.Name)]
public sealed class WellKnownFilesTests(PulseApplication pulse)
{
    [Theory]
    [InlineData("/favicon.ico", "image/x-icon")]
    [InlineData("/favicon.svg", "image/svg+xml")]
    [InlineData("/apple-touch-icon.png", "image/png")]
    [InlineData("/icon.png", "image/png")]
    [InlineData("/manifest.webmanifest", "application/manifest+json")]
    [InlineData("/robots.txt", "text/plain")]
    public async Task File_AtItsFixedAddress_HasItsType(string path, string type)
    {
        using var answer = await pulse.Anonymous.GetAsync(path);

        Assert.Equal((HttpStatusCode.OK, type), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
    }
}
