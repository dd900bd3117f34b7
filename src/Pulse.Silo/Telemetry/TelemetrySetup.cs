using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Pulse.Conversations;
using Pulse.Silo.Health;

namespace Pulse.Silo.Telemetry;

/// <summary>Metrics and traces over OTLP: the same for a silo and a front end.</summary>
public static class TelemetrySetup
{
    // The exporter's own variable replaces a setting of Pulse: the other variables of the OpenTelemetry specification set how and how often
    // it sends.
    private const string Endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Exports to <c>OTEL_EXPORTER_OTLP_ENDPOINT</c>. Does nothing if it is unset.</summary>
    public static void AddPulseTelemetry(this IHostApplicationBuilder builder)
    {
        if (!builder.ExportsTelemetry()) return;

        builder.Services.AddSingleton<IHealthCheckPublisher, HealthMetrics>();
        var service = builder.Configuration["OTEL_SERVICE_NAME"] ?? builder.Environment.ApplicationName;
        builder.Services.AddOpenTelemetry()
            .ConfigureResource(resource => resource.AddService(service))
            .WithMetrics(metrics => metrics
                .AddMeter("Pulse.*", "Microsoft.Orleans")
                .AddAspNetCoreInstrumentation()
                .AddRuntimeInstrumentation()
                .AddNpgsqlInstrumentation()
                .AddOtlpExporter())
            .WithTracing(traces => traces
                .AddSource("Microsoft.Orleans.*", "Microsoft.AspNetCore.SignalR.Server", ChatTracing.Name)
                .AddAspNetCoreInstrumentation(http => http.Filter = context => !context.Request.Path.StartsWithSegments("/health"))
                .AddNpgsql()
                .AddProcessor(new AddressRedaction())
                .AddOtlpExporter());
    }

    /// <summary>Propagates traces from front ends to silos, if they are exported.</summary>
    internal static ISiloBuilder AddPulseTracing(this ISiloBuilder silo, IHostApplicationBuilder host) =>
        host.ExportsTelemetry() ? silo.AddActivityPropagation() : silo;

    /// <inheritdoc cref="AddPulseTracing(ISiloBuilder, IHostApplicationBuilder)"/>
    public static IClientBuilder AddPulseTracing(this IClientBuilder client, IHostApplicationBuilder host) =>
        host.ExportsTelemetry() ? client.AddActivityPropagation() : client;

    private static bool ExportsTelemetry(this IHostApplicationBuilder builder) => !string.IsNullOrWhiteSpace(builder.Configuration[Endpoint]);
}
