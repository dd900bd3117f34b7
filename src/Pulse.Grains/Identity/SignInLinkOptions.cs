using System.ComponentModel.DataAnnotations;

namespace Pulse.Grains.Identity;

/// <summary>Lifetime and number of sign-in links. Settings <c>Pulse:SignInLinks:*</c>.</summary>
public sealed class SignInLinkOptions
{
    /// <summary>The configuration section of these settings.</summary>
    public const string SectionName = "Pulse:SignInLinks";

    /// <summary>Lifetime of a link. Default 10 minutes, which is long for a mail and short for a secret in a mailbox.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>
    /// Maximum valid links of one mailbox, and as many again for browsers in which its user has signed in before. Default 3. Further
    /// requests send no mail until a link expires or is used.
    /// </summary>
    [Range(1, 100)]
    public int MaxPerAddress { get; set; } = 3;
}
