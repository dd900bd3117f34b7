namespace Pulse.Accounts;

/// <summary>Who somebody is at an identity provider or trusted token issuer: one row of <c>accounts</c>.</summary>
[GenerateSerializer, Immutable, Alias("pulse.ExternalAccount")]
public sealed record ExternalAccount
{
    /// <summary>The provider's name (<c>google</c>), or the <c>iss</c> of a trusted issuer.</summary>
    [Id(0)] public required string Provider { get; init; }

    /// <summary>The provider's own id for the person (<c>sub</c>); stable and never reassigned, unlike an e-mail.</summary>
    [Id(1)] public required string ProviderAccountId { get; init; }

    /// <summary>How it was proven: <c>oidc</c> (sign-in here), <c>email</c> (a link sent there), <c>token</c> (a trusted issuer's token) or <c>dev</c> (not at all).</summary>
    [Id(2)] public required string Type { get; init; }

    /// <summary>
    /// Id of the link between account and user, a new one each time the account is linked; <see langword="null"/> for an account that is yet to be
    /// linked, and from silos of versions before it.
    /// </summary>
    [Id(3)] public Guid? LinkId { get; init; }

    /// <summary>The normalised address that the provider gave at the latest sign-in, proven or not; <see langword="null"/> for none or not known.</summary>
    [Id(4)] public string? Email { get; init; }

    /// <summary>When the account was linked, UTC; <see langword="null"/> as <see cref="LinkId"/> is.</summary>
    [Id(5)] public DateTimeOffset? LinkedAt { get; init; }
}
