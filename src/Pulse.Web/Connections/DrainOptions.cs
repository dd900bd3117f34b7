using System.ComponentModel.DataAnnotations;

namespace Pulse.Web.Connections;

/// <summary>Timing of a front end's shutdown on SIGTERM.</summary>
internal sealed class DrainOptions : IValidatableObject
{
    public const string SectionName = "Pulse:Drain";

    /// <summary>
    /// Time for which <c>/health/ready</c> fails before the drain begins, long enough for load balancers to notice. Default 5 s, 0 for
    /// none.
    /// </summary>
    public TimeSpan NoticePeriod { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Time over which the open sockets are closed evenly, so that the other front ends can accept them. Default 10 s.</summary>
    public TimeSpan Window { get; set; } = TimeSpan.FromSeconds(10);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (NoticePeriod < TimeSpan.Zero) yield return new($"{SectionName}:NoticePeriod is {NoticePeriod}; it must not be negative. 00:00:05 is usual, 0 for none.");
        if (Window < TimeSpan.Zero) yield return new($"{SectionName}:Window is {Window}; it must not be negative. 00:00:10 is usual, 0 for all at once.");
    }
}
