namespace Pulse.Silo.Clustering;

/// <summary>
/// TLS with certificates on both sides, among silos and between front ends and silos. Settings <c>Pulse:Cluster:Tls:*</c>.
/// </summary>
/// <remarks>
/// On where <see cref="CertificateFile"/> is set. All processes of a cluster must agree: one with TLS and one without cannot talk.
/// </remarks>
internal sealed class ClusterTlsSettings
{
    public const string SectionName = "Pulse:Cluster:Tls";

    /// <summary>This process's certificate: PEM, or PKCS #12 where <see cref="KeyFile"/> is not set.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>The certificate's private key: PEM, not encrypted.</summary>
    public string? KeyFile { get; set; }

    /// <summary>The password of a PKCS #12 file. Default none.</summary>
    public string? Password { get; set; }

    /// <summary>
    /// The certificate authorities (PEM, one or more) that certificates of other processes must come from. The machine's own list does not
    /// count.
    /// </summary>
    public string? CaFile { get; set; }

    /// <summary>
    /// The DNS names of which another process's certificate must have one. Default none: any certificate of the authorities counts.
    /// </summary>
    public IList<string> AllowedNames { get; } = [];

    /// <summary>Whether TLS is on.</summary>
    public bool IsOn => !string.IsNullOrEmpty(CertificateFile);
}
