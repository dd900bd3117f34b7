namespace Pulse.Silo.Telemetry;

/// <summary>Removes e-mail addresses from the logs of Orleans: its warnings about late calls name grains by their keys.</summary>
internal static class RedactedLogs
{
    private const string Categories = "Orleans";

    /// <summary>Has no effect on a logger factory that the application has replaced.</summary>
    public static void AddRedactedLogs(this IServiceCollection services)
    {
        services.AddLogging();
        var present = services.Last(service => service.ServiceType == typeof(ILoggerFactory));
        if (present.ImplementationType != typeof(LoggerFactory)) return;
        services.Remove(present);
        services.AddSingleton<LoggerFactory>();
        services.AddSingleton<ILoggerFactory>(provider => new Factory(provider.GetRequiredService<LoggerFactory>()));
    }

    private sealed class Factory(LoggerFactory inner) : ILoggerFactory
    {
        public ILogger CreateLogger(string categoryName) =>
            categoryName.StartsWith(Categories, StringComparison.Ordinal) ? new Logger(inner.CreateLogger(categoryName)) : inner.CreateLogger(categoryName);

        public void AddProvider(ILoggerProvider provider) => inner.AddProvider(provider);

        public void Dispose() => inner.Dispose();
    }

    private sealed class Logger(ILogger inner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => inner.BeginScope(state);

        public bool IsEnabled(LogLevel logLevel) => inner.IsEnabled(logLevel);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!inner.IsEnabled(logLevel)) return;
            var text = exception is null ? formatter(state, null) : $"{formatter(state, exception)} {exception}";
            var redacted = MailAddresses.Redact(text);

            // A line without an address keeps its fields.
            if (redacted == text) inner.Log(logLevel, eventId, state, exception, formatter);
            else inner.Log(logLevel, eventId, redacted, null, static (line, _) => line);
        }
    }
}
