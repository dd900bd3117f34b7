using Microsoft.Extensions.Diagnostics.HealthChecks;
using Pulse.Grains.Storage;

namespace Pulse.Silo.Health;

/// <summary>Whether the database answers within a second. One instance for all who ask: an answer is good for a second, and one ping is under way at a time.</summary>
/// <remarks>Anybody may ask, as often as they like; a connection each would leave none for those who are signing in.</remarks>
internal sealed class DatabaseHealthCheck(IStoreDatabase database, TimeProvider time) : IHealthCheck
{
    private static readonly TimeSpan s_goodFor = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private Task<HealthCheckResult>? _answer;
    private long _answeredAt;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            if (_answer is null || (_answer.IsCompleted && time.GetElapsedTime(_answeredAt) >= s_goodFor)) _answer = AskAsync();
            return _answer.WaitAsync(cancellationToken);
        }
    }

    // Without the token of whoever asked first: others wait for the same answer, and the ping ends by itself.
    private async Task<HealthCheckResult> AskAsync()
    {
        try
        {
            await database.PingAsync(CancellationToken.None);
            return HealthCheckResult.Healthy();
        }
        catch (StoreUnavailableException)
        {
            return HealthCheckResult.Unhealthy($"{database.Name} does not answer: presence goes on, profiles and sign-in wait for it.");
        }
        finally
        {
            _answeredAt = time.GetTimestamp();
        }
    }
}
