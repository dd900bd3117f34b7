using Microsoft.Extensions.Options;

namespace Pulse.Silo.Startup;

/// <summary>
/// Suppresses the framework's and Orleans' logs of a fault at start, with their stack traces, because <see cref="Launch"/> reports the
/// fault in one line.
/// </summary>
internal sealed class StartLogging : IPostConfigureOptions<LoggerFilterOptions>
{
    // Before the start these log advice about the garbage collector, which is Pulse's choice, and a watchdog's warning that mistakes the
    // machine's uptime for a pause.
    private static readonly string[] s_misleading = ["Orleans.Runtime.Silo", "Orleans.Runtime.Watchdog"];

    // Level below which categories other than Pulse's own may log.
    private volatile LogLevel _below = LogLevel.Error;

    /// <summary>Enables all logs, because the process has started.</summary>
    public void Open() => _below = LogLevel.None;

    /// <summary>Limits logs to Pulse itself, because the start has failed.</summary>
    public void Close() => _below = LogLevel.Trace;

    public void PostConfigure(string? name, LoggerFilterOptions options)
    {
        // The empty rule covers categories that lack a rule. The rules are those of Logging:LogLevel, and each keeps its level.
        LoggerFilterRule[] rules = [new(null, null, null, null), .. options.Rules];
        options.Rules.Clear();
        foreach (var rule in rules) options.Rules.Add(new(rule.ProviderName, rule.CategoryName, rule.LogLevel, Filter(rule.Filter)));
    }

    private Func<string?, string?, LogLevel, bool> Filter(Func<string?, string?, LogLevel, bool>? inner) => (provider, category, level) =>
        (level < Limit(category) || category?.StartsWith("Pulse", StringComparison.Ordinal) is true) && inner?.Invoke(provider, category, level) is not false;

    private LogLevel Limit(string? category) =>
        _below == LogLevel.Error && s_misleading.Contains(category, StringComparer.Ordinal) ? LogLevel.Warning : _below;
}
