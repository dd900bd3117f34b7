namespace Pulse.Web.Audit;

/// <summary>A kind of security event. <see cref="AuditEvents"/> has them all.</summary>
/// <param name="Name">The value of the field <c>EventName</c>. Permanent, because searches and alarms rely on it.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Fields">What each line about it holds.</param>
/// <param name="IsCounted">
/// Whether one client can cause it as often as it likes. Then equal events of a minute are two lines at most: the first, and one with the
/// count of the others.
/// </param>
internal sealed record AuditEvent(string Name, AuditOutcome Outcome, AuditFields Fields, bool IsCounted = false);
