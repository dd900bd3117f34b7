namespace Pulse.Web.Mail;

/// <summary>Outside Development without a mail server.</summary>
internal sealed class NoMail : IMailSender
{
    public string? WhyNot => "no mail server is set up here";

    public Task SendAsync(OutgoingMail mail, CancellationToken cancellationToken) =>
        throw new MailUnavailableException(new InvalidOperationException($"{MailOptions.SectionName}:Host is not set."));
}
