using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Pulse.Silo.Clock;

/// <summary>The clocks of a Pulse process.</summary>
public static class ClockSetup
{
    /// <summary>
    /// The key of the <see cref="TimeProvider"/> that is the wall clock, for times that are exchanged with other programs: a token's times are checked by this
    /// process, by other front ends and by libraries, all by their wall clocks.
    /// </summary>
    public const string WallClock = "wall";

    /// <summary>Registers a <see cref="SteadyClock"/> as the process's <see cref="TimeProvider"/>, for Pulse and Orleans, unless there is one already.</summary>
    public static IServiceCollection AddSteadyClock(this IServiceCollection services)
    {
        services.TryAddKeyedSingleton(WallClock, TimeProvider.System);
        if (services.Any(service => service.ServiceType == typeof(TimeProvider) && !service.IsKeyedService)) return services;

        services.AddSingleton<TimeProvider>(new SteadyClock(TimeProvider.System));
        services.AddHostedService<ClockLeadLogger>();
        return services;
    }
}
