using Microsoft.Extensions.DependencyInjection.Extensions;
using Pulse.Silo.Health;

namespace Pulse.Web.Connections;

/// <summary>Registers the shutdown of this front end.</summary>
internal static class DrainSetup
{
    public static void AddDraining(this IServiceCollection services)
    {
        services.AddOptions<DrainOptions>().BindConfiguration(DrainOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<Drain>();
        services.Replace(ServiceDescriptor.Singleton<IHostLifetime, DrainingLifetime>());
        services.AddHealthChecks().AddCheck<Drain>("front-end", tags: [HealthEndpoints.ReadyTag]);
    }

    /// <summary>Asks load balancers to close their kept-alive connections to a stopping front end.</summary>
    public static void UseDraining(this WebApplication app)
    {
        var drain = app.Services.GetRequiredService<Drain>();
        app.Use((context, next) =>
        {
            if (drain.IsLeaving) context.Response.Headers.Connection = "close";
            return next(context);
        });
    }
}
