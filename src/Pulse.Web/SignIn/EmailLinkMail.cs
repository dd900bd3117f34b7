using System.Globalization;
using System.Net;
using Pulse.Web.Mail;

namespace Pulse.Web.SignIn;

/// <summary>The text of the mail with a sign-in link.</summary>
internal static class EmailLinkMail
{
    private const string Subject = "Your sign-in link for Pulse";

    /// <summary>Creates the mail.</summary>
    /// <param name="to">The mailbox.</param>
    /// <param name="link">Absolute URL.</param>
    /// <param name="code">The digits that can be entered instead.</param>
    /// <param name="host">The site's name, so that the reader sees the site of the sign-in.</param>
    /// <param name="lifetime">Lifetime of the link.</param>
    public static OutgoingMail Compose(string to, string link, string code, string host, TimeSpan lifetime)
    {
        var minutes = ((int)Math.Ceiling(lifetime.TotalMinutes)).ToString(CultureInfo.InvariantCulture);
        return new(to, Subject, Text(link, EmailCode.Show(code), host, minutes), Html(WebUtility.HtmlEncode(link), EmailCode.Show(code), WebUtility.HtmlEncode(host), minutes), link);
    }

    private static string Text(string link, string code, string host, string minutes) =>
        $"""
        Hello,

        open this link to sign in to Pulse at {host}:

        {link}

        On another device? Go back to the browser where you asked for this mail and type this code there:

        {code}

        Link and code work once, within {minutes} minutes, in the browser where you asked.
        Give the code to nobody.

        If you did not ask for this mail, ignore it.
        """;

    private static string Html(string link, string code, string host, string minutes) =>
        $"""
        <!DOCTYPE html>
        <html lang="en">
        <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{Subject}</title></head>
        <body style="margin:0;padding:24px;background:#f4f5f7;color:#1b1f24;font:16px/1.5 system-ui,sans-serif">
        <div style="max-width:480px;margin:0 auto;padding:32px;background:#ffffff;border-radius:12px">
        <h1 style="margin:0 0 16px;font-size:22px">Sign in to Pulse</h1>
        <p style="margin:0 0 24px">Press the button to sign in at {host}.</p>
        <p style="margin:0 0 24px"><a href="{link}" style="display:inline-block;padding:12px 24px;background:#1f5fbf;color:#ffffff;border-radius:8px;text-decoration:none;font-weight:600">Sign in</a></p>
        <p style="margin:0 0 8px;font-size:14px;color:#57606a">Or open this address:<br><a href="{link}" style="color:#1f5fbf;word-break:break-all">{link}</a></p>
        <p style="margin:16px 0 0;font-size:14px;color:#57606a">On another device? Go back to the browser where you asked for this mail and type this code there:</p>
        <p style="margin:8px 0;font-size:24px;letter-spacing:2px;font-weight:600">{code}</p>
        <p style="margin:8px 0 0;font-size:14px;color:#57606a">Link and code work once, within {minutes} minutes, in the browser where you asked. Give the code to nobody. If you did not ask for this mail, ignore it.</p>
        </div>
        </body>
        </html>
        """;
}
