using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Pulse.Silo.Health;

/// <summary>
/// A check of a server. One instance for all callers: an answer is good for a second, and one question is under way at a time.
/// </summary>
/// <remarks>Anybody may ask, as often as they like; a connection each would leave none for users who sign in.</remarks>
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

    /// <summary>Asks the server. Ends by itself, without the token of the first caller, because others wait for the same answer.</summary>
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
