using System.ComponentModel.DataAnnotations;

namespace Pulse.Grains.Identity;

/// <summary>Lifetime of sessions.</summary>
internal sealed class SignInSessionOptions : IValidatableObject
{
    public const string SectionName = "Pulse:Auth";

    /// <summary>Maximum time from sign-in to the end of a session, however much it is used.</summary>
    public static readonly TimeSpan MaxLifetime = TimeSpan.FromDays(30);

    private static readonly TimeSpan s_maxSlideInterval = TimeSpan.FromDays(1);

    /// <summary>Time after which an unused session expires. Default 7 days, at most <see cref="MaxLifetime"/>.</summary>
    public TimeSpan SessionLifetime { get; set; } = TimeSpan.FromDays(7);

    /// <summary>Minimum interval between two writes of use and expiry: a day, or half a lifetime that is shorter than two days.</summary>
    public TimeSpan SlideInterval => SessionLifetime / 2 < s_maxSlideInterval ? SessionLifetime / 2 : s_maxSlideInterval;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (SessionLifetime <= TimeSpan.Zero || SessionLifetime > MaxLifetime)
        {
            yield return new($"{SectionName}:SessionLifetime is {SessionLifetime:c}; it must be above zero and at most {MaxLifetime:c}, such as 7.00:00:00.");
        }
    }
}
