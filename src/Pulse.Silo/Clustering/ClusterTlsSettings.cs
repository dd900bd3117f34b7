namespace Pulse.Silo.Clustering;

/// <summary>
/// TLS with certificates on both sides, among silos and between front ends and silos. Settings <c>Pulse:Cluster:Tls:*</c>.
/// </summary>
/// <remarks>
/// On if <see cref="CertificateFile"/> is set. All processes of a cluster must agree, because a process with TLS cannot talk to one
/// without.
/// </remarks>
internal sealed class ClusterTlsSettings
{
    public const string SectionName = "Pulse:Cluster:Tls";

    /// <summary>This process's certificate: PEM, or PKCS #12 if <see cref="KeyFile"/> is unset.</summary>
    public string? CertificateFile { get; set; }

    /// <summary>The certificate's private key: PEM, unencrypted.</summary>
    public string? KeyFile { get; set; }

    /// <summary>The password of a PKCS #12 file. Default none.</summary>
    public string? Password { get; set; }

    /// <summary>
    /// The certificate authorities (PEM, one or more) of other processes' certificates. The machine's own list is ignored.
    /// </summary>
    public string? CaFile { get; set; }

    /// <summary>
    /// Allowed DNS names. Another process's certificate must have one of them. Default none, which accepts any certificate of the
    /// authorities.
    /// </summary>
    public IList<string> AllowedNames { get; } = [];

    /// <summary>Whether TLS is on.</summary>
    public bool IsOn => !string.IsNullOrEmpty(CertificateFile);
}
