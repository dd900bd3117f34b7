using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Pulse.Web.Tests.Pages;

/// <summary>A person with a browser, and the browser's errors.</summary>
public sealed class Visitor : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly List<string> _complaints = [];

    private Visitor(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.Console += (_, message) =>
        {
            // An error page as the answer is the subject of some tests.
            if (message.Type == "error" && !(message.Text.StartsWith("Failed to load resource", StringComparison.Ordinal) && message.Location.StartsWith(page.Url, StringComparison.Ordinal)))
                _complaints.Add($"{message.Location} {message.Text}");
        };
        page.PageError += (_, error) => _complaints.Add(error);
    }

    /// <summary>The page that the person sees.</summary>
    public IPage Page { get; }

    /// <summary>Errors in the console, violations of the Content-Security-Policy among them.</summary>
    public IReadOnlyCollection<string> Complaints => _complaints;

    public static async Task<Visitor> OpenAsync(IBrowserContext context) => new(context, await context.NewPageAsync());

    /// <summary>Waits until the browser shows the page of exactly that path and query.</summary>
    public Task ArriveAsync(string path) => Assertions.Expect(Page).ToHaveURLAsync(new Regex($"^https?://[^/]+{Regex.Escape(path)}$"));

    /// <summary>Signs in as a new user of that name, or as the one with that address, and waits for the dashboard.</summary>
    public async Task SignInAsync(string name, string? email = null)
    {
        await Page.GotoAsync("/signin");
        await Page.GetByText("Somebody else").ClickAsync();
        await Page.GetByLabel("Their e-mail").FillAsync(email ?? $"{Guid.NewGuid():N}@example.com");
        await Page.GetByLabel("Their name").FillAsync(name);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Continue", Exact = true }).ClickAsync();
        await ArriveAsync("/dashboard");
    }

    /// <summary>The keys of what the chat has stored in the browser's database.</summary>
    public Task<string[]> ChatKeysAsync() => Page.EvaluateAsync<string[]>(
        """
        () => new Promise((resolve, reject) => {
          const opening = indexedDB.open('pulse-chat', 1);
          opening.onerror = () => reject(opening.error);
          opening.onupgradeneeded = () => opening.result.createObjectStore('kept');
          opening.onsuccess = () => {
            const keys = opening.result.transaction('kept').objectStore('kept').getAllKeys();
            keys.onsuccess = () => {
              opening.result.close();
              resolve(keys.result);
            };
          };
        })
        """);

    public ValueTask DisposeAsync() => _context.DisposeAsync();
}
