namespace Pulse.Web.Mail;

/// <summary>Delivers mail to an SMTP server, or in Development to a page.</summary>
internal interface IMailSender
{
    /// <summary>The reason why mail is unavailable, as readable text. <see langword="null"/> if it is available.</summary>
    string? UnavailableReason { get; }

    /// <summary>Returns once the mail server has accepted the mail.</summary>
    /// <exception cref="MailUnavailableException">The mail server did not accept it.</exception>
    Task SendAsync(OutgoingMail mail, CancellationToken cancellationToken);
}
