using Microsoft.Extensions.Diagnostics.HealthChecks;
using Orleans.Runtime;

namespace Pulse.Web.Silos;

/// <summary>
/// Monitors whether this front end can reach a silo. While it cannot, the monitor makes a call itself, because Orleans' client connects
/// only when it has a message to send.
/// </summary>
internal sealed partial class SiloConnectionMonitor(IServiceProvider services, TimeProvider time, ILogger<SiloConnectionMonitor> logger)
    : BackgroundService, IClusterConnectionStatusObserver, ILifecycleParticipant<IClusterClientLifecycle>, IHealthCheck
{
    public const string DownMessage = "No silo can be reached. Open sockets stay open. All other requests wait for a silo.";

    private static readonly TimeSpan s_retryDelay = TimeSpan.FromSeconds(1);

    private volatile bool _hasStarted;
    private volatile bool _isUp;

    /// <summary>Whether a silo can be called.</summary>
    public bool IsUp => _isUp;

    public void Participate(IClusterClientLifecycle lifecycle) =>
        lifecycle.Subscribe(nameof(SiloConnectionMonitor), ServiceLifecycleStage.Active, _ =>
        {
            _hasStarted = true;
            MarkConnected();
            return Task.CompletedTask;
        });

    public void NotifyGatewayCountChanged(int currentNumberOfGateways, int previousNumberOfGateways, bool connectionRecovered)
    {
    }

    public void NotifyClusterConnectionLost()
    {
        if (!_isUp) return;
        _isUp = false;
        LogLost();
    }

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_isUp ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy(DownMessage));

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                await Task.Delay(s_retryDelay, time, stoppingToken);
                if (_hasStarted && !_isUp && await IsAnsweredAsync()) MarkConnected();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task<bool> IsAnsweredAsync()
    {
        try
        {
            // Resolved late instead of injected, because the client is created with its observers, and this object is one of them.
            await services.GetRequiredService<IGrainFactory>().GetGrain<IManagementGrain>(0).GetHosts(onlyActive: true);
            return true;
        }
        catch (Exception e)
        {
            LogUnanswered(e.GetType().Name);
            return false;
        }
    }

    private void MarkConnected()
    {
        _isUp = true;
        LogReached();
    }

    [LoggerMessage(2201, LogLevel.Information, "Connected to the silos.")]
    private partial void LogReached();

    [LoggerMessage(2202, LogLevel.Warning, "The last connection to a silo is lost.")]
    private partial void LogLost();

    [LoggerMessage(2203, LogLevel.Debug, "No silo answered ({Reason}).")]
    private partial void LogUnanswered(string reason);
}
