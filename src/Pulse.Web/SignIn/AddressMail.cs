using System.Globalization;
using System.Net;
using Pulse.Web.Mail;

namespace Pulse.Web.SignIn;

/// <summary>The text of the mail with a link that confirms an address.</summary>
internal static class AddressMail
{
    private const string Subject = "Confirm your e-mail address for Pulse";

    /// <summary>Creates the mail.</summary>
    /// <param name="to">The new address.</param>
    /// <param name="link">Absolute URL.</param>
    /// <param name="host">The site's name.</param>
    /// <param name="lifetime">Lifetime of the link.</param>
    public static OutgoingMail Compose(string to, string link, string host, TimeSpan lifetime)
    {
        var minutes = ((int)Math.Ceiling(lifetime.TotalMinutes)).ToString(CultureInfo.InvariantCulture);
        var text =
            $"""
            Hello,

            open this link to confirm that your user at {host} has this e-mail address:

            {link}

            It works once, within {minutes} minutes, in the browser that asked for it. If you did not ask for it, ignore this mail: nothing is changed.
            """;
        var html =
            $"""
            <!DOCTYPE html>
            <html lang="en">
            <head><meta charset="utf-8"><title>{Subject}</title></head>
            <body style="margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif">
            <p>Confirm that your user at {WebUtility.HtmlEncode(host)} has this e-mail address:</p>
            <p><a href="{WebUtility.HtmlEncode(link)}">Confirm the address</a></p>
            <p>It works once, within {minutes} minutes, in the browser that asked for it. If you did not ask for it, ignore this mail: nothing is changed.</p>
            </body>
            </html>
            """;
        return new(to, Subject, text, html, link);
    }
}
