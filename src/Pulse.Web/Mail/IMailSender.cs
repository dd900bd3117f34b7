namespace Pulse.Web.Mail;

/// <summary>Hands mail on: to an SMTP server, or in Development to a page.</summary>
internal interface IMailSender
{
    /// <summary>Why nothing can be sent here at all, in words for people; <see langword="null"/> when it can.</summary>
    string? WhyNot { get; }

    /// <summary>Returns once the mail is somebody else's to deliver.</summary>
    /// <exception cref="MailUnavailableException">It is not.</exception>
    Task SendAsync(OutgoingMail mail, CancellationToken cancellationToken);
}
