using Microsoft.Extensions.DependencyInjection.Extensions;
using Pulse.Silo.Health;

namespace Pulse.Web.Connections;

/// <summary>Sets up how this front end leaves.</summary>
internal static class DrainSetup
{
    public static void AddDraining(this IServiceCollection services)
    {
        services.AddOptions<DrainOptions>().BindConfiguration(DrainOptions.SectionName).ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<Drain>();
        services.Replace(ServiceDescriptor.Singleton<IHostLifetime, DrainingLifetime>());
        services.AddHealthChecks().AddCheck<Drain>("front-end", tags: [HealthEndpoints.ReadyTag]);
    }

    /// <summary>Has load balancers let go of the connections that they keep open to a front end that is leaving.</summary>
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
