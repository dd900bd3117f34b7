namespace Pulse.Web.Mail;

/// <summary>The sender outside Development if no mail server is configured.</summary>
internal sealed class NoMail : IMailSender
{
    public string? UnavailableReason => "no mail server is configured";

    public Task SendAsync(OutgoingMail mail, CancellationToken cancellationToken) =>
        throw new MailUnavailableException(new InvalidOperationException($"{MailOptions.SectionName}:Host is not set."));
}
