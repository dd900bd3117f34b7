using Pulse.Accounts;

namespace Pulse.Identity;

/// <summary>A sign-in on one device: a row of <c>sessions</c> without its secret.</summary>
[GenerateSerializer, Immutable, Alias("pulse.SignInSession")]
public sealed record SignInSession
{
    /// <summary>The session's id, also the <c>sid</c> of its tokens. It is public.</summary>
    [Id(0)] public required Guid Id { get; init; }

    /// <summary>When the user signed in, UTC.</summary>
    [Id(1)] public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>Latest known use, UTC. Accurate to a day.</summary>
    [Id(2)] public required DateTimeOffset LastUsedAt { get; init; }

    /// <summary>When the session expires unless it is used, UTC.</summary>
    [Id(3)] public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>The browser's User-Agent at sign-in, cut to 400 characters.</summary>
    [Id(4)] public string? Device { get; init; }

    /// <summary>The client's IP address at the latest recorded use.</summary>
    [Id(5)] public string? Address { get; init; }

    /// <summary>Whether this call has moved <see cref="ExpiresAt"/>. The browser's cookie then needs a new Max-Age.</summary>
    [Id(6)] public bool Renewed { get; init; }
}

/// <summary>The known facts of a sign-in.</summary>
[GenerateSerializer, Immutable, Alias("pulse.SessionStart")]
public sealed record SessionStart
{
    /// <summary>SHA-256 of the cookie's secret, 32 bytes. Only the browser has the secret itself.</summary>
    [Id(0)] public required byte[] TokenHash { get; init; }

    /// <summary>See <see cref="SignInSession.Device"/>.</summary>
    [Id(1)] public string? Device { get; init; }

    /// <summary>See <see cref="SignInSession.Address"/>.</summary>
    [Id(2)] public string? Address { get; init; }

    /// <summary>
    /// The account that signs in, in the format of <see cref="AccountKey.ToString"/>. <see langword="null"/> from earlier versions.
    /// </summary>
    [Id(3)] public string? Account { get; init; }

    /// <summary>
    /// The time by the front end's wall clock, with which front ends compare it later. <see langword="null"/> from earlier versions.
    /// </summary>
    [Id(4)] public DateTimeOffset? At { get; init; }
}
