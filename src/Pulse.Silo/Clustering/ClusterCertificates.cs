using System.Security.Cryptography;

namespace Pulse.Silo.Clustering;

/// <summary>The current certificates. They are read again when their files change, so that a renewal works during operation.</summary>
internal sealed partial class ClusterCertificates(ClusterTlsSettings settings, TimeProvider time, ILogger<ClusterCertificates> logger) : BackgroundService
{
    // A renewal comes days before the old certificate's end.
    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_warnsAhead = TimeSpan.FromDays(7);
    private static readonly TimeSpan s_warnsEvery = TimeSpan.FromDays(1);

    private readonly Lazy<ClusterCertificateSet> _first = new(() => ClusterCertificateSet.Load(settings));
    private volatile ClusterCertificateSet? _later;
    private string _seen = HashOf(settings);
    private DateTimeOffset _warnedAt = DateTimeOffset.MinValue;

    /// <summary>The present certificates. Open connections keep the certificates with which they began.</summary>
    public ClusterCertificateSet Current => _later ?? _first.Value;

    /// <summary>Reads the files again if they have changed. Unusable files are ignored.</summary>
    public void Refresh()
    {
        var hash = HashOf(settings);
        if (hash == _seen)
        {
            WarnOfTheEnd();
            return;
        }

        try
        {
            var renewed = ClusterCertificateSet.Load(settings);
            if (renewed.FaultOf(time.GetUtcNow()) is { } fault) throw new ClusterCertificateException(fault);

            // The former ones stay undisposed, because handshakes in progress use them.
            _later = renewed;
            _seen = hash;
            LogRenewed(renewed.Own.NotAfter.ToUniversalTime());
        }
        catch (ClusterCertificateException exception)
        {
            // The next round reads the files again, because they may be half written.
            LogNotRenewed(exception.Message);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(s_interval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) Refresh();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private void WarnOfTheEnd()
    {
        var (now, end) = (time.GetUtcNow(), Current.Own.NotAfter.ToUniversalTime());
        // Certificates that live for days are renewed in their last third or later.
        var share = (end - Current.Own.NotBefore.ToUniversalTime()) / 6;
        var ahead = share < s_warnsAhead ? share : s_warnsAhead;
        if (end - now.UtcDateTime > ahead || now - _warnedAt < s_warnsEvery) return;
        _warnedAt = now;
        LogEnding(end);
    }

    // Times of files would not do, because Kubernetes replaces the folder to which the files of a secret are links.
    private static string HashOf(ClusterTlsSettings settings) => string.Join('|', new[] { settings.CertificateFile, settings.KeyFile, settings.CaFile }
        .Select(file => string.IsNullOrEmpty(file) ? "" : HashOf(file)));

    private static string HashOf(string file)
    {
        try
        {
            return Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(file)));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return exception.GetType().Name;
        }
    }

    [LoggerMessage(3220, LogLevel.Information, "The certificates of Pulse:Cluster:Tls were read again. This process's own is valid until {NotAfter:u}.")]
    private partial void LogRenewed(DateTime notAfter);

    [LoggerMessage(3221, LogLevel.Warning, "The changed certificates are ignored and the former ones remain in use: {Reason}")]
    private partial void LogNotRenewed(string reason);

    [LoggerMessage(3222, LogLevel.Warning, "The certificate of Pulse:Cluster:Tls ends on {NotAfter:u}, and its files are unchanged. Renew them: from then on no process of the cluster can connect to another.")]
    private partial void LogEnding(DateTime notAfter);
}
