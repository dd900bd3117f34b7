using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Pulse.Web.Tests.Audit;

/// <summary>Keeps every line that the application logs.</summary>
internal sealed class LogSink : ILoggerProvider
{
    private readonly ConcurrentQueue<LogLine> _lines = new();

    public IReadOnlyCollection<LogLine> Lines => _lines;

    public ILogger CreateLogger(string categoryName) => new Logger(categoryName, _lines);

    public void Dispose()
    {
    }

    private sealed class Logger(string category, ConcurrentQueue<LogLine> lines) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => lines.Enqueue(new(
            category,
            $"{formatter(state, exception)} {exception}",
            (state as IEnumerable<KeyValuePair<string, object?>>)?.ToDictionary(field => field.Key, field => field.Value) ?? []));
    }
}

/// <summary>A line of the log.</summary>
internal sealed record LogLine(string Category, string Text, IReadOnlyDictionary<string, object?> Fields)
{
    public object? this[string field] => Fields.GetValueOrDefault(field);
}
