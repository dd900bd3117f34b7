using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Pulse.Silo;

/// <summary>The clock of a Pulse process.</summary>
public static class ClockSetup
{
    /// <summary>Registers a <see cref="SteadyClock"/> as the process's <see cref="TimeProvider"/>, for Pulse and Orleans, unless there is one already.</summary>
    public static IServiceCollection AddSteadyClock(this IServiceCollection services)
    {
        if (services.Any(service => service.ServiceType == typeof(TimeProvider))) return services;

        services.AddSingleton<TimeProvider>(new SteadyClock(TimeProvider.System));
        services.AddHostedService<ClockLeadLogger>();
        return services;
    }
}
