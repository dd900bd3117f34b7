using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Pulse.Silo.Clustering;

/// <summary>The certificate of this process and the authorities of the others, read from their files together.</summary>
internal sealed class ClusterCertificateSet : IDisposable
{
    private const string Section = ClusterTlsSettings.SectionName;

    // RFC 5280 section 4.2.1.12: serverAuth and clientAuth. Every process is both.
    private static readonly string[] s_usages = ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"];

    private readonly string[] _allowedNames;

    private ClusterCertificateSet(X509Certificate2 own, X509Certificate2Collection authorities, string[] allowedNames) =>
        (Own, Authorities, _allowedNames) = (own, authorities, allowedNames);

    /// <summary>With its private key.</summary>
    public X509Certificate2 Own { get; }

    public X509Certificate2Collection Authorities { get; }

    /// <summary>Reads the files.</summary>
    /// <exception cref="ClusterCertificateException">A file is unreadable. The message names the setting.</exception>
    public static ClusterCertificateSet Load(ClusterTlsSettings settings)
    {
        var authorities = new X509Certificate2Collection();
        Read("CaFile", $"'{settings.CaFile}'", () => authorities.ImportFromPemFile(settings.CaFile!));
        if (authorities.Count == 0) throw new ClusterCertificateException($"{Section}:CaFile is '{settings.CaFile}', in which there is no certificate in PEM form.");

        X509Certificate2? own = null;
        if (settings.KeyFile is { Length: > 0 } key)
        {
            // A mismatch of the two files is a fault of both.
            Read("CertificateFile", $"'{settings.CertificateFile}' with {Section}:KeyFile '{key}'",
                () => own = X509Certificate2.CreateFromPemFile(settings.CertificateFile!, key));
        }
        else
        {
            Read("CertificateFile", $"'{settings.CertificateFile}'",
                () => own = X509CertificateLoader.LoadPkcs12FromFile(settings.CertificateFile!, settings.Password));
        }

        if (!own!.HasPrivateKey)
            throw new ClusterCertificateException($"{Section}:CertificateFile is '{settings.CertificateFile}', which has no private key. Name it in {Section}:KeyFile.");
        return new(own, authorities, [.. settings.AllowedNames]);
    }

    /// <summary>The reason for which other processes would reject this certificate, or <see langword="null"/>.</summary>
    public string? FaultOf(DateTimeOffset now)
    {
        if (now > Own.NotAfter) return $"{Section}:CertificateFile expired at {Own.NotAfter.ToUniversalTime():u}. Renew it.";
        if (now < Own.NotBefore) return $"{Section}:CertificateFile is not valid before {Own.NotBefore.ToUniversalTime():u}.";
        var usages = Own.Extensions.OfType<X509EnhancedKeyUsageExtension>().FirstOrDefault()?.EnhancedKeyUsages.Cast<Oid>().Select(usage => usage.Value).ToArray();
        if (usages is not null && s_usages.Except(usages).Any())
            return $"{Section}:CertificateFile is not for both serverAuth and clientAuth (extended key usage). Every process is a server and a client.";
        if (!IsFromAuthorities(Own, null)) return $"{Section}:CertificateFile does not come from an authority in {Section}:CaFile.";
        return HasAllowedName(Own) ? null : $"{Section}:CertificateFile has none of the DNS names of {Section}:AllowedNames.";
    }

    /// <summary>Whether another process's certificate is accepted.</summary>
    /// <param name="certificate">The certificate.</param>
    /// <param name="sent">The chain that TLS has built, including the certificates that the other process sent.</param>
    public bool Trusts(X509Certificate2 certificate, X509Chain? sent) => IsFromAuthorities(certificate, sent) && HasAllowedName(certificate);

    public void Dispose()
    {
        Own.Dispose();
        foreach (var authority in Authorities) authority.Dispose();
    }

    private bool IsFromAuthorities(X509Certificate2 certificate, X509Chain? sent)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(Authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.DisableCertificateDownloads = true;
        if (sent is not null) chain.ChainPolicy.ExtraStore.AddRange(sent.ChainPolicy.ExtraStore);
        return chain.Build(certificate);
    }

    // The host's name is ignored, because silos are found by address, in a table that only members can write.
    private bool HasAllowedName(X509Certificate2 certificate) =>
        _allowedNames.Length == 0
        || certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(names => names.EnumerateDnsNames())
            .Intersect(_allowedNames, StringComparer.OrdinalIgnoreCase).Any();

    private static void Read(string setting, string file, Action read)
    {
        try
        {
            read();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or CryptographicException or ArgumentException)
        {
            throw new ClusterCertificateException($"{Section}:{setting} is {file}, which cannot be read: {exception.Message.ReplaceLineEndings(" ")}");
        }
    }
}

/// <summary>An unusable certificate file. The message names the setting.</summary>
internal sealed class ClusterCertificateException(string message) : Exception(message);
