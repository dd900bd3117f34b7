namespace Pulse.Web.Audit;

/// <summary>How an event ended.</summary>
internal enum AuditOutcome
{
    /// <summary>It was done.</summary>
    Success,

    /// <summary>Pulse refused it.</summary>
    Refused,
}
