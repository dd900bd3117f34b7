namespace Pulse.Users;

/// <summary>What a caller's token and request say about them. Already validated and normalised; <see langword="null"/> leaves the stored value.</summary>
[GenerateSerializer, Immutable, Alias("pulse.ProfileUpdate")]
public sealed record ProfileUpdate
{
    /// <summary>Normalised address. A new user needs one.</summary>
    [Id(0)] public string? Email { get; init; }

    /// <summary>Whether the token's issuer vouches for <see cref="Email"/>.</summary>
    [Id(1)] public bool EmailVerified { get; init; }

    /// <summary>Display name. A new user without one gets the local part of the address.</summary>
    [Id(2)] public string? Name { get; init; }

    /// <summary>Absolute http(s) URL of a picture.</summary>
    [Id(3)] public string? Avatar { get; init; }

    /// <summary>Takes the stored picture away; <see cref="Avatar"/> is then <see langword="null"/>.</summary>
    [Id(4)] public bool RemoveAvatar { get; init; }
}
