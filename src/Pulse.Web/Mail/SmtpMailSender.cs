using System.Net.Sockets;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using Microsoft.Extensions.Options;
using MimeKit;
using MimeKit.Utils;

namespace Pulse.Web.Mail;

/// <summary>
/// Sends through the server of <see cref="MailOptions"/>, with a connection per mail and up to three attempts after transient errors.
/// </summary>
internal sealed partial class SmtpMailSender(IOptions<MailOptions> options, TimeProvider time, ILogger<SmtpMailSender> logger) : IMailSender
{
    private const int Tries = 3;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(300);

    public string? UnavailableReason => null;

    public async Task SendAsync(OutgoingMail mail, CancellationToken cancellationToken)
    {
        using var message = Compose(mail);
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await SendOnceAsync(message, cancellationToken);
                return;
            }
            catch (SmtpCommandException refused) when (refused.ErrorCode == SmtpErrorCode.RecipientNotAccepted && (int)refused.StatusCode >= 500)
            {
                // An error would reveal to a stranger which mailboxes exist. A person who mistyped the address sees it on the page.
                LogRecipientRefused((int)refused.StatusCode);
                return;
            }
            catch (Exception exception) when (IsFailure(exception) && !cancellationToken.IsCancellationRequested)
            {
                if (attempt == Tries || !MayPass(exception))
                {
                    LogFailed(exception.GetType().Name, (exception as SmtpCommandException)?.StatusCode, attempt);
                    throw new MailUnavailableException(exception);
                }
            }

            await Task.Delay(s_pause * attempt, time, cancellationToken);
        }
    }

    private async Task SendOnceAsync(MimeMessage message, CancellationToken cancellationToken)
    {
        var settings = options.Value;
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(settings.Timeout);

        using var client = new SmtpClient { Timeout = (int)settings.Timeout.TotalMilliseconds };
        await client.ConnectAsync(settings.Host!, settings.Port, Protection(settings.Security), deadline.Token);
        if (!string.IsNullOrEmpty(settings.User)) await client.AuthenticateAsync(settings.User, settings.Password!, deadline.Token);
        if (!client.Capabilities.HasFlag(SmtpCapabilities.UTF8) && message.To.Mailboxes.Any(mailbox => mailbox.IsInternational && !IsAsciiLocal(mailbox)))
        {
            LogAddressUnsupported();
            throw new MailAddressUnsupportedException();
        }

        await client.SendAsync(message, deadline.Token);

        // The server has accepted the mail by now, so the outcome of the goodbye is ignored.
        try
        {
            await client.DisconnectAsync(quit: true, deadline.Token);
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            LogNoGoodbye(exception.GetType().Name);
        }
    }

    // A domain is sent in Punycode, which every server supports.
    private static bool IsAsciiLocal(MailboxAddress mailbox) => mailbox.LocalPart.All(char.IsAscii);

    private MimeMessage Compose(OutgoingMail mail)
    {
        var from = MailboxAddress.Parse(options.Value.From!);
        var message = new MimeMessage
        {
            Subject = mail.Subject,
            Date = time.GetUtcNow(),
            MessageId = MimeUtils.GenerateMessageId(from.Domain),
            Body = new BodyBuilder { TextBody = mail.Text, HtmlBody = mail.Html }.ToMessageBody(),
        };
        message.From.Add(from);
        message.To.Add(new MailboxAddress(name: null, mail.To));
        message.Headers.Add(HeaderId.ContentLanguage, mail.Language);
        // RFC 3834 section 5: suppresses automatic replies such as holiday notices.
        message.Headers.Add(HeaderId.AutoSubmitted, "auto-generated");
        return message;
    }

    private static SecureSocketOptions Protection(MailSecurity security) => security switch
    {
        MailSecurity.Tls => SecureSocketOptions.SslOnConnect,
        MailSecurity.None => SecureSocketOptions.None,
        // StartTLS is required instead of "when available", because an attacker on the network path could claim that it is unavailable
        // (RFC 8314 section 4).
        _ => SecureSocketOptions.StartTls,
    };

    private static bool IsFailure(Exception exception) => exception is SmtpCommandException or SmtpProtocolException or ServiceNotConnectedException
        or ServiceNotAuthenticatedException or AuthenticationException or SslHandshakeException or SocketException or IOException
        or OperationCanceledException or TimeoutException or NotSupportedException;

    // RFC 5321 section 4.2.1: 4yz may be retried, 5yz must not.
    private static bool MayPass(Exception exception) => exception switch
    {
        SmtpCommandException command => (int)command.StatusCode is >= 400 and < 500,
        SmtpProtocolException or SocketException or IOException => true,
        _ => false,
    };

    [LoggerMessage(2520, LogLevel.Error, "A mail was not sent after {Attempts} tries: {Exception}, SMTP status {Status}")]
    private partial void LogFailed(string exception, SmtpStatusCode? status, int attempts);

    [LoggerMessage(2523, LogLevel.Warning,
        "A mail was not sent: its address has letters outside ASCII before the @, and the mail server does not announce SMTPUTF8 (RFC 6531)")]
    private partial void LogAddressUnsupported();

    [LoggerMessage(2521, LogLevel.Information, "The mail server refused a recipient, SMTP status {Status}")]
    private partial void LogRecipientRefused(int status);

    [LoggerMessage(2522, LogLevel.Debug, "The mail server accepted a mail but failed at the end of the connection: {Exception}")]
    private partial void LogNoGoodbye(string exception);
}
