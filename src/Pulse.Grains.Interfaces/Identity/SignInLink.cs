namespace Pulse.Identity;

/// <summary>The state of a sign-in link. Readers treat an unknown state as <see cref="Unknown"/>.</summary>
public enum SignInLinkState
{
    /// <summary>The link was used, altered in transit, or invented.</summary>
    Unknown = 0,

    /// <summary>The link is valid for one sign-in.</summary>
    Good = 1,

    /// <summary>The link has expired.</summary>
    Expired = 2,
}

/// <summary>A sign-in link.</summary>
/// <param name="State">Its state.</param>
/// <param name="Email">The mailbox of the link. <see langword="null"/> unless <see cref="SignInLinkState.Good"/>.</param>
[GenerateSerializer, Immutable, Alias("pulse.SignInLink")]
public sealed record SignInLink([property: Id(0)] SignInLinkState State, [property: Id(1)] string? Email = null);
