using System.Net;
using System.Text.RegularExpressions;
using Pulse.Web.Tests.SignIn;

namespace Pulse.Web.Tests.Mail;

/// <summary>Sign-in by mail with no mail server: Development shows the mail.</summary>
[Collection(SharedPulse.Name)]
public sealed partial class DevMailTests(PulseApplication pulse)
{
    [Fact]
    public async Task Mail_IsShown_AndItsLinkSignsIn()
    {
        var email = $"d{Guid.NewGuid():N}@example.com";
        using var browser = new Browser(pulse.Anonymous.BaseAddress!);
        var sent = await browser.PostAsync("/auth/signin/email", ("email", email));
        Assert.Contains("href=\"/dev/mail\"", sent.Body, StringComparison.Ordinal);

        var mailbox = await browser.GetAsync("/dev/mail");
        Assert.Contains(email, mailbox.Body, StringComparison.Ordinal);
        var link = WebUtility.HtmlDecode(Link().Match(mailbox.Body[mailbox.Body.IndexOf(email, StringComparison.Ordinal)..]).Groups[1].Value);

        Assert.Equal("/dashboard", (await browser.SubmitAsync(await browser.GetAsync(link))).Path);
        Assert.NotNull(await browser.WhoAmIAsync());
    }

    [GeneratedRegex(@"href=""(/auth/callback/email[^""]*)""")]
    private static partial Regex Link();
}
