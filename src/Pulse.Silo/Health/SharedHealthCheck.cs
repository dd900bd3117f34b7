using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Pulse.Silo.Health;

/// <summary>
/// A check of a server, shared by all callers. An answer is valid for a second, and one request to the server runs at a time.
/// </summary>
/// <remarks>Any client may call the health routes at any rate. A connection for each call would exhaust those for users.</remarks>
internal abstract class SharedHealthCheck(TimeProvider time) : IHealthCheck
{
    private static readonly TimeSpan s_goodFor = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private Task<HealthCheckResult>? _answer;
    private long _answeredAt;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (_answer is null || (_answer.IsCompleted && time.GetElapsedTime(_answeredAt) >= s_goodFor)) _answer = AskOnceAsync();
            return _answer.WaitAsync(cancellationToken);
        }
    }

    /// <summary>
    /// Calls the server. Ends by its own timeout instead of the first caller's token, because other callers wait for the same answer.
    /// </summary>
    protected abstract Task<HealthCheckResult> AskAsync();

    private async Task<HealthCheckResult> AskOnceAsync()
    {
        try
        {
            return await AskAsync();
        }
        finally
        {
            _answeredAt = time.GetTimestamp();
        }
    }
}
