using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Connections.Security;

namespace Pulse.Silo.Clustering;

/// <summary>TLS on every connection among silos and between front ends and silos, if <c>Pulse:Cluster:Tls</c> is set.</summary>
public static class ClusterTls
{
    /// <summary>Adds the settings and, if TLS is on, the certificates, to a silo or a front end.</summary>
    public static void AddClusterTls(this IHostApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddOptions<ClusterTlsSettings>().BindConfiguration(ClusterTlsSettings.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<ClusterTlsSettings>>(new ClusterTlsValidator(TimeProvider.System));
        if (!IsOn(builder.Configuration)) return;

        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<ClusterCertificates>(
            provider, provider.GetRequiredService<IOptions<ClusterTlsSettings>>().Value));
        services.AddHostedService(provider => provider.GetRequiredService<ClusterCertificates>());
        services.AddOptions<SiloConnectionOptions>().Configure<ClusterCertificates>((connections, certificates) =>
        {
            var tls = Options(certificates);
            connections.ConfigureSiloInboundConnection(connection => connection.UseServerTls(tls));
            connections.ConfigureGatewayInboundConnection(connection => connection.UseServerTls(tls));
            connections.ConfigureSiloOutboundConnection(connection => connection.UseClientTls(tls));
        });
        services.AddOptions<ClientConnectionOptions>().Configure<ClusterCertificates>((connections, certificates) =>
            connections.ConfigureConnection(connection => connection.UseClientTls(Options(certificates))));
    }

    private static bool IsOn(IConfiguration configuration) => !string.IsNullOrEmpty(configuration[$"{ClusterTlsSettings.SectionName}:CertificateFile"]);

    private static TlsOptions Options(ClusterCertificates certificates) => new()
    {
        LocalServerCertificateSelector = (_, _) => certificates.Current.Own,
        LocalClientCertificateSelector = (_, _, _, _, _) => certificates.Current.Own,
        RemoteCertificateMode = RemoteCertificateMode.RequireCertificate,
        ClientCertificateMode = RemoteCertificateMode.AllowCertificate,

        // Replaces the platform's result, which uses the machine's authorities and compares a host name that silos lack.
        RemoteCertificateValidation = (certificate, chain, _) => certificates.Current.Trusts(certificate, chain),
        OnAuthenticateAsClient = (_, client) => client.TargetHost = "pulse-cluster",
    };
}
