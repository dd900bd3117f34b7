using Pulse.Accounts;

namespace Pulse.Identity;

/// <summary>A sign-in on one device: a row of <c>sessions</c> without its secret.</summary>
[GenerateSerializer, Immutable, Alias("pulse.SignInSession")]
public sealed record SignInSession
{
    /// <summary>The session's id, also the <c>sid</c> of its tokens. Not a secret.</summary>
    [Id(0)] public required Guid Id { get; init; }

    /// <summary>When the user signed in, UTC.</summary>
    [Id(1)] public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Latest known use, UTC; exact to a day.</summary>
    [Id(2)] public required DateTimeOffset LastUsedAt { get; init; }

    /// <summary>When it ends unless used, UTC.</summary>
    [Id(3)] public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The browser's User-Agent at sign-in, cut to 400 characters.</summary>
    [Id(4)] public string? Device { get; init; }

    /// <summary>The client's IP address at the latest recorded use.</summary>
    [Id(5)] public string? Address { get; init; }

    /// <summary>Whether this very call has moved <see cref="ExpiresAt"/>: the browser's cookie is due a new Max-Age.</summary>
    [Id(6)] public bool Renewed { get; init; }
}

/// <summary>What is known of a sign-in when it happens.</summary>
[GenerateSerializer, Immutable, Alias("pulse.SessionStart")]
public sealed record SessionStart
{
    /// <summary>SHA-256 of the secret that the cookie carries, 32 bytes: the secret itself stays with the browser.</summary>
    [Id(0)] public required byte[] TokenHash { get; init; }

    /// <summary>See <see cref="SignInSession.Device"/>.</summary>
    [Id(1)] public string? Device { get; init; }

    /// <summary>See <see cref="SignInSession.Address"/>.</summary>
    [Id(2)] public string? Address { get; init; }

    /// <summary>The account that signs in, as <see cref="AccountKey.ToString"/> has it; <see langword="null"/> from versions before it.</summary>
    [Id(3)] public string? Account { get; init; }
}
