using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Pulse.Web.SignIn;

/// <summary>
/// Whether every provider is available for sign-in. Otherwise the answer is degraded instead of unhealthy, because other ways to sign in
/// and existing sessions still work.
/// </summary>
internal sealed class SignInHealthCheck(SignInProviders providers) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var faults = providers.All.Where(provider => provider.UnavailableReason is not null)
            .Select(provider => $"Nobody can sign in with {provider.DisplayName}: {provider.UnavailableReason}.").ToArray();
        return Task.FromResult(faults.Length == 0 ? HealthCheckResult.Healthy() : HealthCheckResult.Degraded(string.Join(' ', faults)));
    }
}
