using System.Globalization;
using System.Net;
using Microsoft.Extensions.Options;
using Pulse.Web.Mail;
using Pulse.Web.Pages;

namespace Pulse.Web.SignIn;

/// <summary>The texts of the mails, with the integrator's name.</summary>
/// <remarks>A mail with a link has the language of the request, because the person who asked for it reads it.</remarks>
internal sealed class SignInMails(PageTexts texts, IOptions<PagesOptions> pages)
{
    /// <summary>The mail with a sign-in link.</summary>
    /// <param name="to">The mailbox.</param>
    /// <param name="link">Absolute URL.</param>
    /// <param name="code">The digits that can be entered instead.</param>
    /// <param name="host">The site's name, so that the reader sees the site of the sign-in.</param>
    /// <param name="lifetime">Lifetime of the link.</param>
    public OutgoingMail SignIn(string to, string link, string code, string host, TimeSpan lifetime)
    {
        var elsewhere = texts["On another device? Go back to the browser where you asked for this mail and type this code there:"];
        var rules = texts["Link and code work once, within {0} minutes, in the browser where you asked.", Minutes(lifetime)];
        var secret = texts["Give the code to nobody."];
        var ignore = texts["If you did not ask for this mail, ignore it."];
        var shown = EmailCode.Show(code);
        var text =
            $"""
            {texts["Hello,"]}

            {texts["open this link to sign in to Pulse at {0}:", host]}

            {link}

            {elsewhere}

            {shown}

            {rules}
            {secret}

            {ignore}
            """;
        var html = Page(
            texts["Sign in to Pulse"],
            $"""
            <p style="margin:0 0 24px">{Html(texts["Press the button to sign in at {0}.", host])}</p>
            {Button(texts["Sign in"], link)}
            <p style="margin:0 0 8px;font-size:14px;color:#57606a">{Html(texts["Or open this address:"])}<br><a href="{Html(link)}" style="color:#1f5fbf;word-break:break-all">{Html(link)}</a></p>
            <p style="margin:16px 0 0;font-size:14px;color:#57606a">{Html(elsewhere)}</p>
            <p style="margin:8px 0;font-size:24px;letter-spacing:2px;font-weight:600">{shown}</p>
            <p style="margin:8px 0 0;font-size:14px;color:#57606a">{Html(rules)} {Html(secret)} {Html(ignore)}</p>
            """);
        return new(PageTexts.Language, to, texts["Your sign-in link for Pulse"], text, html, link);
    }

    /// <summary>The mail with a link that confirms an address.</summary>
    /// <param name="to">The new address.</param>
    /// <param name="link">Absolute URL.</param>
    /// <param name="host">The site's name.</param>
    /// <param name="lifetime">Lifetime of the link.</param>
    public OutgoingMail ConfirmAddress(string to, string link, string host, TimeSpan lifetime)
    {
        var rules = texts["It works once, within {0} minutes, in the browser that asked for it. If you did not ask for it, ignore this mail: nothing is changed.",
            Minutes(lifetime)];
        var text =
            $"""
            {texts["Hello,"]}

            {texts["open this link to confirm that your user at {0} has this e-mail address:", host]}

            {link}

            {rules}
            """;
        var html = Page(
            texts["Confirm your address"],
            $"""
            <p style="margin:0 0 24px">{Html(texts["Press the button to confirm that your user at {0} has this e-mail address.", host])}</p>
            {Button(texts["Confirm"], link)}
            <p style="margin:0;font-size:14px;color:#57606a">{Html(rules)}</p>
            """);
        return new(PageTexts.Language, to, texts["Confirm your e-mail address for Pulse"], text, html, link);
    }

    /// <summary>The mail about a change to a user's ways to sign in.</summary>
    /// <remarks>It has the site's language: the request can be an intruder's, whose language would hide the notice.</remarks>
    /// <param name="to">The mailbox.</param>
    /// <param name="change">The change in a sentence.</param>
    /// <param name="dashboard">Absolute URL of the dashboard.</param>
    public OutgoingMail Notice(string to, Words change, string dashboard)
    {
        var requested = CultureInfo.CurrentUICulture;
        CultureInfo.CurrentUICulture = CultureInfo.GetCultureInfo(pages.Value.Language ?? PageTexts.Languages[0]);
        try
        {
            var sentence = texts[change];
            var advice = texts["If that was you, there is nothing to do. If it was not, sign in at {0}, sign out everywhere, and unlink what is not yours.", dashboard];
            var text =
                $"""
                {texts["Hello,"]}

                {sentence}

                {advice}
                """;
            var link = $"""<a href="{Html(dashboard)}">{Html(dashboard)}</a>""";
            var title = texts["Notice about your account"];
            var html = Page(
                title,
                $"""
                <p style="margin:0 0 24px">{Html(sentence)}</p>
                <p style="margin:0;font-size:14px;color:#57606a">{Html(advice).Replace(Html(dashboard), link, StringComparison.Ordinal)}</p>
                """);
            return new(PageTexts.Language, to, $"{title} · {texts.Name}", text, html, dashboard);
        }
        finally
        {
            CultureInfo.CurrentUICulture = requested;
        }
    }

    private static string Minutes(TimeSpan lifetime) => ((int)Math.Ceiling(lifetime.TotalMinutes)).ToString(CultureInfo.InvariantCulture);

    private static string Html(string text) => WebUtility.HtmlEncode(text);

    private static string Button(string words, string link) =>
        $"""<p style="margin:0 0 24px"><a href="{Html(link)}" style="display:inline-block;padding:12px 24px;background:#1f5fbf;color:#ffffff;border-radius:8px;text-decoration:none;font-weight:600">{Html(words)}</a></p>""";

    // Styles are inline, because many mail programs drop style sheets.
    private static string Page(string title, string content) =>
        $"""
        <!DOCTYPE html>
        <html lang="{PageTexts.Language}">
        <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{Html(title)}</title></head>
        <body style="margin:0;padding:24px;background:#f4f5f7;color:#1b1f24;font:16px/1.5 system-ui,sans-serif">
        <div style="max-width:480px;margin:0 auto;padding:32px;background:#ffffff;border-radius:12px">
        <h1 style="margin:0 0 16px;font-size:22px">{Html(title)}</h1>
        {content}
        </div>
        </body>
        </html>
        """;
}
