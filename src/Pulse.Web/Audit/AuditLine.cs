namespace Pulse.Web.Audit;

/// <summary>The content of a line in the audit log, except the count.</summary>
/// <param name="Kind">The kind of event.</param>
/// <param name="UserId">The user.</param>
/// <param name="SessionId">The session.</param>
/// <param name="Client">The client's IP address.</param>
/// <param name="Provider">The way to sign in.</param>
/// <param name="Mailbox">A keyed hash of the mailbox.</param>
/// <param name="Reason">A fixed word.</param>
internal readonly record struct AuditLine(
    AuditEvent Kind, Guid? UserId, Guid? SessionId, string? Client, string? Provider, string? Mailbox, string? Reason);
