namespace Pulse.Web.Mail;

/// <summary>A mail to one person.</summary>
/// <param name="To">Normalised address.</param>
/// <param name="Subject">One line.</param>
/// <param name="Text">As plain text, which has everything.</param>
/// <param name="Html">The same as a page without pictures or scripts.</param>
/// <param name="Link">The link that it is about: an absolute URL, and a secret.</param>
internal sealed record OutgoingMail(string To, string Subject, string Text, string Html, string Link);

/// <summary>The mail server does not speak SMTPUTF8 (RFC 6531), which the address needs. Another try does not help.</summary>
internal sealed class MailAddressUnsupportedException() : Exception("The mail server takes no addresses with letters outside ASCII.");

/// <summary>The mail was not taken; trying again later can help. Says nothing of whom it was for.</summary>
internal sealed class MailUnavailableException(Exception inner) : Exception("The mail server did not take a mail.", inner);
