using Pulse.Web.Pages;

namespace Pulse.Web.Mail;

/// <summary><c>GET /dev/mail</c>: the mails that Development keeps instead of sending.</summary>
internal static class DevMailEndpoint
{
    /// <summary>The path of the page.</summary>
    public const string Path = "/dev/mail";

    /// <summary>Maps the page, but only in Development without a mail server.</summary>
    public static void MapDevMail(this WebApplication app)
    {
        if (!app.Environment.IsDevelopment() || app.Services.GetRequiredService<IMailSender>() is not DevMailbox mailbox) return;
        app.MapGet(Path, () => Page.Of<DevMailPage>(new() { [nameof(DevMailPage.Mails)] = List(mailbox) }))
            .AllowAnonymous().ExcludeFromDescription();
    }

    private static DevMailPage.Mail[] List(DevMailbox mailbox) =>
    [
        .. mailbox.List().Select(entry => new DevMailPage.Mail(
            entry.Mail.Language, entry.Mail.To, entry.Mail.Subject, entry.Mail.Text, new Uri(entry.Mail.Link).PathAndQuery, entry.SentAt)),
    ];
}
