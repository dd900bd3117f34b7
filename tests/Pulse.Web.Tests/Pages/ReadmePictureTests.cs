using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Pulse.Web.Demo;
using Pulse.Web.Tests.Demo;
using static Microsoft.Playwright.Assertions;

namespace Pulse.Web.Tests.Pages;

/// <summary>The picture of README.md: the chat among the people of <c>--demo</c>.</summary>
public sealed partial class ReadmePictureTests(ReadmePictureTests.Application pulse) : IClassFixture<ReadmePictureTests.Application>
{
    // If it is 1, the test replaces the picture of the sources. Each picture differs, so a usual run leaves the sources alone.
    private const string Switch = "PULSE_TEST_README_PICTURE";

    // Readers of README.md download it each time.
    private const int MaxBytes = 120 * 1024;

    private const string Picture = "docs/pictures/chat.png";

    public sealed class Application() : PagesApplication([KeyValuePair.Create("Pulse:Demo", "true")])
    {
        private protected override void Adjust(IServiceCollection services) =>
            services.AddSingleton(DemoPace.Natural with { Step = DemoPace.Natural.Step / 5 });
    }

    [Fact]
    public async Task Chat_AmongTalkingPeople_IsAPictureForTheReadme()
    {
        await DemoApplication.PeopleOfAsync(pulse);
        await using var ada = await ChatPerson.ArriveAsync(pulse, "Ada Lovelace");
        await ada.Page.SetViewportSizeAsync(1024, 620);
        var entries = ada.Page.Locator(".side .entry");
        var group = entries.Filter(new() { HasText = "Saturday hike" });
        await Expect(group).ToHaveCountAsync(1);
        await Expect(entries.Filter(new() { HasText = "welcome!" })).ToHaveCountAsync(1);

        await ada.Page.GetByRole(AriaRole.Button, new() { Name = "Channels to join" }).ClickAsync();
        await ada.Page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Join" }).ClickAsync();
        await WriteAsync(ada, "Mikko Virtanen", "Thank you for the photos!");
        await WriteAsync(ada, "Priya Nair", "How are you today?");
        await WriteAsync(ada, "Olena Shevchenko", "Which route do we take on Saturday?");
        await Expect(entries).ToHaveCountAsync(6);

        // The three have answered. The other conversations go on.
        await Expect(entries.Filter(new() { HasNotTextRegex = Rooms() }).Filter(new() { HasTextRegex = Unanswered() })).ToHaveCountAsync(0);
        await group.ClickAsync();
        await Expect(ada.Field).ToBeVisibleAsync();
        await ada.SayAsync("Count me in for the hike. I'll bring the cake!");
        await ada.SeesAsync("Count me in");
        await Expect(ada.Page.Locator(".typing")).ToContainTextAsync("typing…");

        var path = Environment.GetEnvironmentVariable(Switch) == "1" ? Picture : "artifacts/screenshots/readme.png";
        await ada.Page.EvaluateAsync("document.activeElement.blur()");
        await ada.Page.Mouse.MoveAsync(0, 0);
        await ada.Page.ScreenshotAsync(new() { Path = Path.Combine(Checkout.Root, path), Animations = ScreenshotAnimations.Disabled });
    }

    [Fact]
    public void Readme_ShowsThePictureBeforeItsFirstCommand_AndSaysWhatIsOnIt()
    {
        var readme = File.ReadAllText(Path.Combine(Checkout.Root, "README.md"));

        var picture = Assert.Single(Pictures().Matches(readme[..readme.IndexOf("```", StringComparison.Ordinal)]));
        Assert.Equal(Picture, picture.Groups["path"].Value);
        Assert.True(picture.Groups["text"].Length > 20, "A reader who does not see the picture reads this text.");
        Assert.InRange(new FileInfo(Path.Combine(Checkout.Root, Picture)).Length, 1, MaxBytes);
    }

    private async Task WriteAsync(ChatPerson from, string name, string text)
    {
        var other = DemoPerson.Everybody.Single(person => person.Profile.Name == name);
        var direct = await from.StartAsync(new { kind = "direct", members = new[] { other.Id }, clientId = Guid.NewGuid() });
        await ChatHistory.WriteAsync(pulse, direct, [(from.Id, text)]);
    }

    [GeneratedRegex("Saturday hike|Coffee corner")]
    private static partial Regex Rooms();

    [GeneratedRegex("You:|typing…")]
    private static partial Regex Unanswered();

    [GeneratedRegex(@"!\[(?<text>[^\]]*)\]\((?<path>[^)\s]+)\)")]
    private static partial Regex Pictures();
}
