using System.Reflection;
using Microsoft.Extensions.Options;
using Pulse.Silo.Health;
using Pulse.Silo.Telemetry;

namespace Pulse.Silo.Startup;

/// <summary>Starts and stops a Pulse process. Every fault at start is caught here and becomes one line on standard error.</summary>
public static partial class Launch
{
    // Time for a silo to leave its cluster. After it the process ends without having left.
    private static readonly TimeSpan s_stopTimeout = TimeSpan.FromSeconds(10);

    /// <summary>A builder that validates its settings at start, whatever the working directory.</summary>
    /// <param name="args">The program's arguments.</param>
    /// <param name="address">The default address to listen on.</param>
    public static WebApplicationBuilder NewBuilder(string[] args, string address)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = ContentRoot.Of(args) });
        if (!Ports.Addresses(builder.Configuration).Any()) builder.WebHost.UseUrls(address);
        builder.AddLogFormat();
        builder.Services.AddSingleton<StartLogging>();
        builder.Services.AddSingleton<IPostConfigureOptions<LoggerFilterOptions>>(services => services.GetRequiredService<StartLogging>());
        builder.AddStartChecks();
        return builder;
    }

    /// <summary>
    /// Adds the check of all settings at start, and what the health routes need. Applications that host Pulse may have made their builder
    /// without <see cref="NewBuilder"/>. A second call has no effect.
    /// </summary>
    public static void AddStartChecks(this WebApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (builder.Services.Any(service => service.ImplementationType == typeof(StartSettingsValidator))) return;
        builder.Services.AddRedactedLogs();
        builder.Services.AddHealthDetails();
        builder.Services.AddHostedService<PlainStoreWarnings>();
        builder.Services.AddOptions<StartSettings>().ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<StartSettings>, StartSettingsValidator>();
    }

    /// <summary>Builds the application, and reports all faulty settings at once, before their first use.</summary>
    /// <exception cref="StartException">Some settings are faulty.</exception>
    public static WebApplication BuildChecked(this WebApplicationBuilder builder)
    {
        var app = builder.Build();
        try
        {
            app.Services.GetRequiredService<IStartupValidator>().Validate();
            return app;
        }
        catch (Exception fault) when (StartFaults.Explain(fault, app.Configuration) is { } lines)
        {
            throw new StartException(lines);
        }
    }

    /// <summary>Runs the program until it is asked to stop.</summary>
    /// <param name="args">The program's arguments.</param>
    /// <param name="build">Creates the application with <see cref="NewBuilder"/> and <see cref="BuildChecked"/>.</param>
    /// <param name="path">The path in the log's ready message.</param>
    /// <returns>The process's exit code: 1 after a fault at start.</returns>
    public static async Task<int> RunAsync(string[] args, Func<string[], WebApplication> build, string path = "")
    {
        ArgumentNullException.ThrowIfNull(build);
        // The health check of a container.
        if (HealthProbe.Run(args) is { } exitCode) return exitCode;

        // A test host runs the program of another assembly, and reads the exception itself.
        var isOwnProcess = build.Method.Module.Assembly == Assembly.GetEntryAssembly();
        WebApplication? app = null;
        try
        {
            app = build(args);
            await StartAsync(app, path, isOwnProcess);
        }
        catch (OperationCanceledException) when (app?.Lifetime.ApplicationStopping.IsCancellationRequested is true)
        {
            // The process was asked to stop while it waited for a store.
        }
        catch (Exception fault) when (isOwnProcess)
        {
            Report(fault, app?.Configuration);
            if (app is not null) await AbandonAsync(app);
            return 1;
        }

        await app.WaitForShutdownAsync();
        await app.DisposeAsync();
        return Environment.ExitCode;
    }

    private static async Task StartAsync(WebApplication app, string path, bool isOwnProcess)
    {
        if (isOwnProcess) Ports.ThrowIfTaken(app);

        await app.StartAsync();
        app.Services.GetRequiredService<StartLogging>().Open();
        foreach (var address in app.Urls.Take(1)) LogReady(app.Logger, app.Environment.ApplicationName, Ports.Reachable(address) + path);
    }

    private static void Report(Exception fault, IConfiguration? configuration)
    {
        if (StartFaults.Explain(fault, configuration) is { } lines)
        {
            foreach (var line in lines) Console.Error.WriteLine($"Pulse cannot start: {line.ReplaceLineEndings(" ")}");
        }
        else
        {
            Console.Error.WriteLine($"Pulse cannot start, because of a defect: {fault}");
        }
    }

    private static async Task AbandonAsync(WebApplication app)
    {
        app.Services.GetRequiredService<StartLogging>().Close();
        try
        {
            using var bound = new CancellationTokenSource(s_stopTimeout);
            await app.StopAsync(bound.Token);
            await app.DisposeAsync().AsTask().WaitAsync(s_stopTimeout);
        }
        catch (Exception)
        {
            // The fault has been reported. A service that failed to start may also fail to stop.
        }
    }

    [LoggerMessage(3110, LogLevel.Information, "{Program} is ready: {Address}")]
    private static partial void LogReady(ILogger logger, string program, string address);
}
