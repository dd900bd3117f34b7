using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Pulse.Grains.Presence;

/// <summary>Notices that this silo stood still: its process was frozen, its machine paused, or its clock set forward.</summary>
/// <remarks>
/// Leases then seem to have run out whose renewals wait in the silo's sockets, or went to other silos because those have declared it dead. Believing
/// the leases would show their users as offline, by a clock that is later than everybody else's.
/// </remarks>
internal sealed partial class Standstill(
    IClusterMembershipService membership, IOptions<PresenceOptions> options, TimeProvider time, ILogger<Standstill> logger)
    : BackgroundService
{
    private readonly TimeSpan _noticedAfter = options.Value.StandstillAfter;
    private readonly TimeSpan _patience = options.Value.RecallPatience;
    private readonly Lock _lock = new();
    private DateTimeOffset? _wentOnAt;
    private DateTimeOffset _heardAllAt;

    /// <summary>Whether the silo runs, and still counts as one since it last stood still.</summary>
    public bool IsOver
    {
        get
        {
            lock (_lock) return HasGoneOn(time.GetUtcNow());
        }
    }

    /// <summary>Whether a lease that seems to have run out has. To be asked where that is decided: the silo may have stood still since the sweep.</summary>
    public bool HasHeardAll
    {
        get
        {
            var now = time.GetUtcNow();
            lock (_lock) return HasGoneOn(now) && now >= _heardAllAt;
        }
    }

    /// <summary>Says that the silo runs. After a standstill it first asks the membership table: a silo that reads there that it is dead ends its process.</summary>
    public async ValueTask GoOnAsync(CancellationToken cancellationToken = default)
    {
        TimeSpan stoodStillFor;
        lock (_lock)
        {
            var now = time.GetUtcNow();
            if (HasGoneOn(now))
            {
                _wentOnAt = now;
                return;
            }

            stoodStillFor = now - _wentOnAt!.Value;
        }

        LogStoodStill(stoodStillFor.TotalSeconds, _patience.TotalSeconds);
        try
        {
            await membership.Refresh(cancellationToken: cancellationToken);
        }
        catch (Exception e)
        {
            // Without the table nobody can have been declared dead since it went away: patience must do.
            LogTableUnread(e.GetType().Name);
        }

        lock (_lock)
        {
            var now = time.GetUtcNow();
            (_wentOnAt, _heardAllAt) = (now, now + _patience);
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.SweepInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await GoOnAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private bool HasGoneOn(DateTimeOffset now) => _wentOnAt is null || now - _wentOnAt <= _noticedAfter;

    [LoggerMessage(1111, LogLevel.Warning, "This silo stood still for {Seconds:F1} s. It takes nobody for gone until all front ends must have renewed, in {Patience:F1} s.")]
    private partial void LogStoodStill(double seconds, double patience);

    [LoggerMessage(1112, LogLevel.Warning, "After a standstill the membership table could not be read ({Reason}).")]
    private partial void LogTableUnread(string reason);
}
