namespace Pulse.Silo.Clustering;

/// <summary>The current certificates. They are read again when their files change, so that a renewal works during operation.</summary>
internal sealed partial class ClusterCertificates(ClusterTlsSettings settings, TimeProvider time, ILogger<ClusterCertificates> logger) : BackgroundService
{
    // A renewal comes days before the old certificate's end.
    private static readonly TimeSpan s_interval = TimeSpan.FromMinutes(1);

    private readonly Lazy<ClusterCertificateSet> _first = new(() => ClusterCertificateSet.Load(settings));
    private volatile ClusterCertificateSet? _later;
    private string _seen = Stamp(settings);

    /// <summary>The present certificates. Open connections keep the certificates with which they began.</summary>
    public ClusterCertificateSet Current => _later ?? _first.Value;

    /// <summary>Reads the files again if they have changed. Unusable files are ignored.</summary>
    public void Refresh()
    {
        var stamp = Stamp(settings);
        if (stamp == _seen) return;
        try
        {
            var renewed = ClusterCertificateSet.Load(settings);
            if (renewed.FaultOf(time.GetUtcNow()) is { } fault) throw new ClusterCertificateException(fault);

            // The former ones stay undisposed, because handshakes in progress use them.
            _later = renewed;
            _seen = stamp;
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

    private static string Stamp(ClusterTlsSettings settings) => string.Join('|', new[] { settings.CertificateFile, settings.KeyFile, settings.CaFile }
        .Select(file => string.IsNullOrEmpty(file) ? "" : $"{File.GetLastWriteTimeUtc(file).Ticks}"));

    [LoggerMessage(3220, LogLevel.Information, "The certificates of Pulse:Cluster:Tls were read again. This process's own is valid until {NotAfter:u}.")]
    private partial void LogRenewed(DateTime notAfter);

    [LoggerMessage(3221, LogLevel.Warning, "The changed certificates are ignored and the former ones remain in use: {Reason}")]
    private partial void LogNotRenewed(string reason);
}
