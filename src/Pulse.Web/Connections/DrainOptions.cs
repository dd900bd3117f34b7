using System.ComponentModel.DataAnnotations;

namespace Pulse.Web.Connections;

/// <summary>How a front end leaves when it is told to (SIGTERM).</summary>
internal sealed class DrainOptions : IValidatableObject
{
    public const string SectionName = "Pulse:Drain";

    /// <summary>How long <c>/health/ready</c> fails before anything else happens: as long as load balancers take to notice. 0 for none.</summary>
    public TimeSpan NoticePeriod { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Over how long the open sockets are sent elsewhere, evenly: the others take them on at that pace.</summary>
    public TimeSpan Window { get; set; } = TimeSpan.FromSeconds(10);

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (NoticePeriod < TimeSpan.Zero) yield return new($"{SectionName}:NoticePeriod is {NoticePeriod}; it must not be negative. 00:00:05 is usual, 0 for none.");
        if (Window < TimeSpan.Zero) yield return new($"{SectionName}:Window is {Window}; it must not be negative. 00:00:10 is usual, 0 for all at once.");
    }
}
