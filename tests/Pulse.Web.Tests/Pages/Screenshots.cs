using Microsoft.Playwright;

namespace Pulse.Web.Tests.Pages;

/// <summary>Pictures of the pages for people, below <c>artifacts/screenshots/</c> of the checkout.</summary>
internal static class Screenshots
{
    public static Task TakeAsync(IPage page, string name) =>
        page.ScreenshotAsync(new() { Path = Path.Combine(Checkout.Root, "artifacts", "screenshots", $"{name}.png"), FullPage = true });
}

/// <summary>The location of the sources.</summary>
internal static class Checkout
{
    /// <summary>The directory of the solution.</summary>
    public static string Root { get; } = Find(new(AppContext.BaseDirectory));

    private static string Find(DirectoryInfo? directory)
    {
        for (; directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Pulse.sln"))) return directory.FullName;
        }

        throw new InvalidOperationException("There is no Pulse.sln above the tests.");
    }
}
