namespace Pulse.Web.Audit;

/// <summary>The reasons of the lines of changes that a caller may have to repeat.</summary>
internal static class AuditReasons
{
    /// <summary>The change was made.</summary>
    public const string Committed = "committed";

    /// <summary>The change may have been made, because the database or a silo did not answer in time.</summary>
    public const string OutcomeUnknown = "outcome-unknown";
}
