namespace Pulse.Silo.Startup;

/// <summary>Waits for a store at start, and logs every few seconds the store and the reason.</summary>
public sealed partial class StartWait(TimeProvider time, ILogger<StartWait> logger)
{
    // Containers start in any order. After this time, an exit helps an operator more than a hanging process.
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_logInterval = TimeSpan.FromSeconds(3);

    /// <summary>Repeats an attempt until it succeeds.</summary>
    /// <param name="store">The store's name, for the log.</param>
    /// <param name="setting">The setting with the store's location.</param>
    /// <param name="attempt">Returns the reason while the store is unavailable, then <see langword="null"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <param name="isPatient">Whether the wait is unlimited. By default it ends after a minute.</param>
    /// <exception cref="StartException">The store was unavailable for a minute.</exception>
    public async Task UntilAsync(
        string store, string setting, Func<CancellationToken, Task<string?>> attempt, CancellationToken cancellationToken, bool isPatient = false)
    {
        var start = time.GetTimestamp();
        long? toldAt = null;
        var told = "";
        while (true)
        {
            var trial = attempt(cancellationToken);
            while (await Task.WhenAny(trial, Task.Delay(s_logInterval, time, cancellationToken)) != trial)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Tell("it does not answer");
            }

            if (await trial is not { } reason) return;
            if (!isPatient && time.GetElapsedTime(start) >= s_startTimeout)
                throw new StartException($"{setting}: {store} was not there for {s_startTimeout.TotalSeconds:0} s: {reason.TrimEnd('.')}.");
            Tell(reason);
            await Task.Delay(s_retryDelay, time, cancellationToken);
        }

        void Tell(string reason)
        {
            if (reason == told && toldAt is { } at && time.GetElapsedTime(at) < s_logInterval) return;
            (told, toldAt) = (reason, time.GetTimestamp());
            LogWaiting(store, setting, reason.TrimEnd('.'));
        }
    }

    [LoggerMessage(3100, LogLevel.Warning, "Waiting for {Store} ({Setting}): {Reason}.")]
    private partial void LogWaiting(string store, string setting, string reason);
}
