namespace Pulse.Web.Mail;

/// <summary>A mail to one person.</summary>
/// <param name="Language">The language of all its texts, such as <c>en</c>.</param>
/// <param name="To">Normalized address.</param>
/// <param name="Subject">One line.</param>
/// <param name="Text">The complete plain text.</param>
/// <param name="Html">The same as a page without pictures or scripts.</param>
/// <param name="Link">The mail's link: an absolute URL, and a secret.</param>
internal sealed record OutgoingMail(string Language, string To, string Subject, string Text, string Html, string Link);

/// <summary>The mail server does not support SMTPUTF8 (RFC 6531), which the address needs. A retry is useless.</summary>
internal sealed class MailAddressUnsupportedException() : Exception("The mail server does not support addresses with letters outside ASCII.");

/// <summary>The mail server refused the mail. A later retry can help. The message omits the recipient.</summary>
internal sealed class MailUnavailableException(Exception inner) : Exception("The mail server did not accept a mail.", inner);
