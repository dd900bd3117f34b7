namespace Pulse.Web.Audit;

/// <summary>A kind of security event. All are in <see cref="AuditEvents"/>.</summary>
/// <param name="Name">The value of the field <c>EventName</c>. Permanent, because searches and alarms rely on it.</param>
/// <param name="Outcome">The outcome.</param>
/// <param name="Fields">The fields of each line.</param>
/// <param name="IsCounted">Whether a client can cause any number of these events. Equal events of a minute are then at most two lines: the
/// first, and one with the count of the others.</param>
internal sealed record AuditEvent(string Name, AuditOutcome Outcome, AuditFields Fields, bool IsCounted = false);
