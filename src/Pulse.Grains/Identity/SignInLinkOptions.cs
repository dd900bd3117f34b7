using System.ComponentModel.DataAnnotations;

namespace Pulse.Grains.Identity;

/// <summary>How long sign-in links are good, and how many of one mailbox at once. Settings <c>Pulse:SignInLinks:*</c>.</summary>
public sealed class SignInLinkOptions
{
    /// <summary>Where these settings are read from.</summary>
    public const string SectionName = "Pulse:SignInLinks";

    /// <summary>How long a link is good. Default 10 minutes: long for a mail, short for a secret in a mailbox.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "1.00:00:00")]
    public TimeSpan Lifetime { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>How many good links one mailbox may have. Default 3; whoever asks for more gets no further mail until one runs out or is used.</summary>
    [Range(1, 100)]
    public int MaxPerAddress { get; set; } = 3;
}
