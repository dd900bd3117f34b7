namespace Pulse.Identity;

/// <summary>What a sign-in link is worth. Readers treat a state that they do not know as <see cref="Unknown"/>.</summary>
public enum SignInLinkState
{
    /// <summary>There is no such link: it has been used, or was changed on the way, or never was.</summary>
    Unknown = 0,

    /// <summary>It signs in, once.</summary>
    Good = 1,

    /// <summary>Its time is over.</summary>
    Expired = 2,
}

/// <summary>A sign-in link.</summary>
/// <param name="State">What it is worth.</param>
/// <param name="Email">The mailbox that it was sent to; <see langword="null"/> unless <see cref="SignInLinkState.Good"/>.</param>
[GenerateSerializer, Immutable, Alias("pulse.SignInLink")]
public sealed record SignInLink([property: Id(0)] SignInLinkState State, [property: Id(1)] string? Email = null);
