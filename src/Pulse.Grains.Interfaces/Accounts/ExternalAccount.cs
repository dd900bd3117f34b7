namespace Pulse.Accounts;

/// <summary>A person's account at an identity provider or trusted token issuer: one row of <c>accounts</c>.</summary>
[GenerateSerializer, Immutable, Alias("pulse.ExternalAccount")]
public sealed record ExternalAccount
{
    /// <summary>The provider's name (<c>google</c>), or the <c>iss</c> of a trusted issuer.</summary>
    [Id(0)] public required string Provider { get; init; }

    /// <summary>The provider's own id for the person (<c>sub</c>). Unlike an e-mail it stays with one person for ever.</summary>
    [Id(1)] public required string ProviderAccountId { get; init; }

    /// <summary>
    /// The kind of proof: <c>oidc</c> (sign-in here), <c>email</c> (a link by mail), <c>token</c> (a trusted issuer's token) or <c>dev</c>
    /// (unproven).
    /// </summary>
    [Id(2)] public required string Type { get; init; }

    /// <summary>
    /// Id of the link between account and user. Each new link gets a new id. <see langword="null"/> for an unlinked account,
    /// and from silos of earlier versions.
    /// </summary>
    [Id(3)] public Guid? LinkId { get; init; }

    /// <summary>
    /// The normalized address that the provider stated at the latest sign-in, proven or unproven. <see langword="null"/> if there is none
    /// or it is unknown.
    /// </summary>
    [Id(4)] public string? Email { get; init; }

    /// <summary>When the account was linked, UTC. <see langword="null"/> in the same cases as <see cref="LinkId"/>.</summary>
    [Id(5)] public DateTimeOffset? LinkedAt { get; init; }
}
