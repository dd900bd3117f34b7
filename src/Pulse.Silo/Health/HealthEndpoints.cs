using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace Pulse.Silo.Health;

/// <summary>Whether this process lives, and whether it can serve: the same routes on a silo and on a front end.</summary>
public static class HealthEndpoints
{
    /// <summary>Checks with this tag decide <c>/health/ready</c>. Every part registers its own with <see cref="IHealthChecksBuilder"/>.</summary>
    public const string ReadyTag = "ready";

    private const string LiveTag = "live";

    /// <summary>Maps <c>/health/live</c> (restart me when it fails) and <c>/health/ready</c> (send me no traffic while it fails).</summary>
    /// <remarks>A degraded part leaves the answer at 200: what it does not affect goes on, and traffic should too.</remarks>
    public static void MapPulseHealth(this IEndpointRouteBuilder app)
    {
        app.MapHealthChecks("/health/live", Answering(LiveTag)).AllowAnonymous();
        app.MapHealthChecks("/health/ready", Answering(ReadyTag)).AllowAnonymous();
    }

    /// <summary>Adds what decides which requests are told the details.</summary>
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
