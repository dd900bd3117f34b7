using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Pulse.Silo.Clock;

/// <summary>The clocks of a Pulse process.</summary>
public static class ClockSetup
{
    /// <summary>
    /// The key of the <see cref="TimeProvider"/> for the wall clock. It is for times that are exchanged with other programs: this process,
    /// other front ends and libraries all check a token's times by their wall clocks.
    /// </summary>
    public const string WallClock = "wall";

    /// <summary>
    /// Registers a <see cref="SteadyClock"/> as the process's <see cref="TimeProvider"/>, for Pulse and Orleans, unless another is
    /// registered.
    /// </summary>
    public static IServiceCollection AddSteadyClock(this IServiceCollection services)
    {
        services.TryAddKeyedSingleton(WallClock, TimeProvider.System);
        if (services.Any(service => service.ServiceType == typeof(TimeProvider) && !service.IsKeyedService)) return services;

        services.AddSingleton<TimeProvider>(new SteadyClock(TimeProvider.System));
        services.AddHostedService<ClockLeadLogger>();
        return services;
    }
}
