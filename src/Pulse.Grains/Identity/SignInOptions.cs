using System.ComponentModel.DataAnnotations;

namespace Pulse.Grains.Identity;

/// <summary>How long sign-ins last.</summary>
internal sealed class SignInOptions : IValidatableObject
{
    public const string SectionName = "Pulse:Auth";

    /// <summary>However much a session is used, it ends this long after its sign-in.</summary>
    public static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(30);

    private static readonly TimeSpan MaxSlideInterval = TimeSpan.FromDays(1);

    /// <summary>How long a session lives without being used; at most <see cref="MaxLifetime"/>.</summary>
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Use is written down, and the expiry moved, at most this often: once a day, or twice in a lifetime that is shorter than two.</summary>
    public TimeSpan SlideInterval => SessionLifetime / 2 < MaxSlideInterval ? SessionLifetime / 2 : MaxSlideInterval;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (SessionLifetime <= TimeSpan.Zero || SessionLifetime > MaxLifetime)
        {
            yield return new($"{SectionName}:SessionLifetime is {SessionLifetime:c}; it must be above zero and at most {MaxLifetime:c}, such as 7.00:00:00.");
        }
    }
}
