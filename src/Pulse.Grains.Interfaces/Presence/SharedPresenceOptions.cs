using System.ComponentModel.DataAnnotations;

namespace Pulse.Presence;

/// <summary>The times of <c>Pulse:Presence</c> that silos and front ends both read. All processes must have the same values.</summary>
public abstract class SharedPresenceOptions : IValidatableObject
{
    private const string Section = "Pulse:Presence";

    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_day = TimeSpan.FromDays(1);

    /// <summary>Lifetime of a Redis presence key, from a second to a day. Default 60 s. Leases and renewals derive from it.</summary>
    public TimeSpan TimeToLive { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Interval at which clients are asked to send a heartbeat, from a second to a day. Default 30 s. Clients get whole seconds.
    /// </summary>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The faults of these settings, each as one sentence that names the setting.</summary>
    public virtual IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!IsInRange(TimeToLive)) yield return Fault(nameof(TimeToLive), TimeToLive, "00:01:00");

        // A client would get 0 for less than a second. For more than 24 days, a browser's timer would fire at once.
        if (!IsInRange(HeartbeatInterval)) yield return Fault(nameof(HeartbeatInterval), HeartbeatInterval, "00:00:30");
    }

    private static bool IsInRange(TimeSpan value) => value >= s_second && value <= s_day;

    private static ValidationResult Fault(string name, TimeSpan value, string usual) =>
        new($"{Section}:{name} is {value}; it must be at least a second and at most a day, such as {usual}.");
}
