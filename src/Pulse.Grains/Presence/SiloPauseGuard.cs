using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Pulse.Grains.Presence;

/// <summary>Detects that this silo was paused: its process was frozen, its machine suspended, or its clock set forward.</summary>
/// <remarks>
/// After a pause, leases appear expired whose renewals wait in the silo's sockets, or went to other silos because those have declared this
/// one dead. Expiring them would show their users as offline, with a time that is later than any other silo's.
/// </remarks>
internal sealed partial class SiloPauseGuard(
    IClusterMembershipService membership, IOptions<PresenceOptions> options, TimeProvider time, ILogger<SiloPauseGuard> logger)
    : BackgroundService
{
    private readonly TimeSpan _threshold = options.Value.PauseThreshold;
    private readonly TimeSpan _takeoverWindow = options.Value.TakeoverWindow;
    private readonly Lock _lock = new();
    private DateTimeOffset? _lastTickAt;
    private DateTimeOffset _expiryAllowedAt;

    /// <summary>Whether the silo runs, and has confirmed its cluster membership since its last pause.</summary>
    public bool IsRunning
    {
        get
        {
            lock (_lock) return TickedRecently(time.GetUtcNow());
        }
    }

    /// <summary>
    /// Whether expired leases may be acted on. Check immediately before expiring, because the silo may have been paused after the sweep.
    /// </summary>
    public bool MayExpireLeases
    {
        get
        {
            var now = time.GetUtcNow();
            lock (_lock) return TickedRecently(now) && now >= _expiryAllowedAt;
        }
    }

    /// <summary>
    /// Records that the silo runs. After a pause it first reads the membership table. A silo that is listed as dead there terminates its
    /// process.
    /// </summary>
    public async ValueTask TickAsync(CancellationToken cancellationToken = default)
    {
        TimeSpan paused;
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (TickedRecently(now))
            {
                _lastTickAt = now;
                return;
            }

            paused = now - _lastTickAt!.Value;
        }

        LogPaused(paused.TotalSeconds, _takeoverWindow.TotalSeconds);
        try
        {
            await membership.Refresh(cancellationToken: cancellationToken);
        }
        catch (Exception e)
        {
            // While the membership table is unavailable no silo can be declared dead, so waiting one takeover window is enough.
            LogTableUnread(e.GetType().Name);
        }

        lock (_lock)
        {
            var now = time.GetUtcNow();
            (_lastTickAt, _expiryAllowedAt) = (now, now + _takeoverWindow);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.SweepInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await TickAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private bool TickedRecently(DateTimeOffset now) => _lastTickAt is null || now - _lastTickAt <= _threshold;

    [LoggerMessage(1111, LogLevel.Warning, "This silo was paused for {Seconds:F1} s. It expires no lease for {Window:F1} s, within which every front end renews.")]
    private partial void LogPaused(double seconds, double window);

    [LoggerMessage(1112, LogLevel.Warning, "After a pause the membership table could not be read ({Reason}).")]
    private partial void LogTableUnread(string reason);
}
