using Microsoft.Extensions.Options;

namespace Pulse.Silo.Startup;

/// <summary>Holds back what the framework and Orleans log of a fault at start, with its stack: <see cref="Launch"/> reports the fault in one line.</summary>
internal sealed class StartLogging : IPostConfigureOptions<LoggerFilterOptions>
{
    // Before the start: advice about the garbage collector, which is Pulse's choice, and a watchdog that takes the machine's uptime for a pause.
    private static readonly string[] s_misleading = ["Orleans.Runtime.Silo", "Orleans.Runtime.Watchdog"];

    // What categories other than Pulse's own may log.
    private volatile LogLevel _below = LogLevel.Error;

    /// <summary>From now on everything is logged: the process has started.</summary>
    public void Open() => _below = LogLevel.None;

    /// <summary>From now on only Pulse itself logs: the start has failed.</summary>
    public void Close() => _below = LogLevel.Trace;

    public void PostConfigure(string? name, LoggerFilterOptions options)
    {
        // Also for categories without a rule. The rules are those of Logging:LogLevel; each keeps its level.
        LoggerFilterRule[] rules = [new(null, null, null, null), .. options.Rules];
        options.Rules.Clear();
        foreach (var rule in rules) options.Rules.Add(new(rule.ProviderName, rule.CategoryName, rule.LogLevel, Filter(rule.Filter)));
    }

    private Func<string?, string?, LogLevel, bool> Filter(Func<string?, string?, LogLevel, bool>? inner) => (provider, category, level) =>
        (level < Limit(category) || category?.StartsWith("Pulse", StringComparison.Ordinal) is true) && inner?.Invoke(provider, category, level) is not false;

    private LogLevel Limit(string? category) =>
        _below == LogLevel.Error && s_misleading.Contains(category, StringComparer.Ordinal) ? LogLevel.Warning : _below;
}
