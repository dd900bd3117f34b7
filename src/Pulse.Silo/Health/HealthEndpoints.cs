using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Pulse.Silo.Health;

/// <summary>The routes for liveness and readiness, the same on a silo and on a front end.</summary>
public static class HealthEndpoints
{
    /// <summary>
    /// Checks with this tag decide <c>/health/ready</c>. Every part registers its own with <see cref="IHealthChecksBuilder"/>.
    /// </summary>
    public const string ReadyTag = "ready";

    private const string LiveTag = "live";

    /// <summary>
    /// Maps <c>/health/live</c> (restart the process when it fails) and <c>/health/ready</c> (send no traffic while it fails).
    /// </summary>
    /// <remarks>A degraded part keeps the answer at 200, because unaffected functions still work and should get traffic.</remarks>
    public static void MapPulseHealth(this IEndpointRouteBuilder app)
    {
        app.MapHealthChecks("/health/live", Answering(LiveTag)).AllowAnonymous();
        app.MapHealthChecks("/health/ready", Answering(ReadyTag)).AllowAnonymous();
    }

    /// <summary>Adds the decision which requests get details.</summary>
    public static void AddHealthDetails(this IServiceCollection services)
    {
        services.AddOptions<HealthOptions>().BindConfiguration(HealthOptions.SectionName).ValidateOnStart();
        services.AddSingleton<IValidateOptions<HealthOptions>, HealthOptionsValidator>();
        services.AddSingleton<HealthDetails>();
    }

    private static HealthCheckOptions Answering(string tag) => new()
    {
        Predicate = check => check.Tags.Contains(tag),
        ResponseWriter = (context, report) =>
        {
            var withDetails = context.RequestServices.GetRequiredService<HealthDetails>().AreFor(context);
            return context.Response.WriteAsJsonAsync(
                HealthResponse.From(report, withDetails), HealthJson.Default.HealthResponse, contentType: null, context.RequestAborted);
        },
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(HealthResponse))]
internal sealed partial class HealthJson : JsonSerializerContext;
