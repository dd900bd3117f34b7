using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Pulse.Presence;
using Pulse.Web.Connections;

namespace Pulse.Web.Presence;

/// <summary>Keeps the watched users of this front end in the watch table of each silo, with one batched call at a time per silo.</summary>
/// <remarks>A table that fails is sent all users again. The other tables and the clients are unaffected meanwhile.</remarks>
internal sealed partial class WatchTables(
    IGrainFactory grains, ConnectionRegistry registry, FrontEndReference reference, PresenceWatches watches, WatchJournal journal, Drain drain,
    IOptions<HubConnectionOptions> options, TimeProvider time, ILogger<WatchTables> logger) : BackgroundService
{
    // Watches that begin together are sent together.
    private static readonly TimeSpan s_gathering = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan s_retryDelay = TimeSpan.FromSeconds(1);
    private const int TriesToAsk = 5;
    private static readonly TimeSpan s_slowAfter = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, Table> _tables = new();

    /// <summary>This front end's knowledge of one silo's table. Only the table's own loop changes it.</summary>
    private sealed class Table(IWatchTableGrain grain, CancellationTokenSource stop)
    {
        public IWatchTableGrain Grain => grain;

        public CancellationTokenSource Stop => stop;

        public long Position;
        public long Generation;
        public long Mark;
        public long RenewedAt;
        public long? BusySince;
        public bool IsFailing;
        public bool IsInSync => Generation > 0;
    }

    /// <inheritdoc/>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);

        // One call per silo replaces one removal per user. An unresponsive silo removes this front end after its lifetime.
        var forgotten = Task.WhenAll(_tables.Values.Where(table => table.IsInSync).Select(table => table.Grain.ForgetAsync(registry.Id)));
        await forgotten.WaitAsync(s_slowAfter, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (true)
            {
                // A front end calls the tables only while it has watches.
                var end = journal.End;
                if (watches.Count == 0) await journal.AddedAsync(end).WaitAsync(stoppingToken);
                await TryListSilosAsync(stoppingToken);
                await Task.Delay(_tables.IsEmpty ? s_retryDelay : options.Value.SiloListInterval, time, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping.
        }
    }

    private async Task TryListSilosAsync(CancellationToken stoppingToken)
    {
        try
        {
            var silos = await grains.GetGrain<IPresenceReaderGrain>(0).ListSilosAsync();
            foreach (var silo in silos)
            {
                if (_tables.ContainsKey(silo)) continue;
                var table = new Table(grains.GetGrain<IWatchTableGrain>(silo), CancellationTokenSource.CreateLinkedTokenSource(stoppingToken)) { Position = journal.End };
                _tables[silo] = table;
                _ = KeepAsync(table);
            }

            var isLost = false;
            foreach (var silo in _tables.Keys.Except(silos))
            {
                if (!_tables.TryRemove(silo, out var table)) continue;
                await table.Stop.CancelAsync();
                isLost = true;
            }

            if (!isLost) return;
            Report();
            _ = AskAboutUsersWhoAreHereAsync(stoppingToken);
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested)
        {
            LogSilosUnknown(e.GetType().Name);
        }
    }

    /// <summary>
    /// A silo was lost, and with it the grains that would have noticed a lost front end. New activations do so once they are called. Users
    /// who are still connected cost nothing extra, because the renewals of their leases activate their grains anyway.
    /// </summary>
    private async Task AskAboutUsersWhoAreHereAsync(CancellationToken stoppingToken)
    {
        foreach (var chunk in watches.Users.Where(userId => watches.IsShownOffline(userId) == false).Chunk(PresenceBatches.MaxUsers))
        {
            for (var tries = 0; tries < TriesToAsk && !await TryAskAsync(chunk); tries++)
            {
                await Task.Delay(s_retryDelay, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<bool> TryAskAsync(Guid[] userIds)
    {
        try
        {
            await watches.AskAsync(userIds);
            return true;
        }
        catch (Exception e)
        {
            LogAskFailed(e.GetType().Name);
            return false;
        }
    }

    private async Task KeepAsync(Table table)
    {
        var stop = table.Stop.Token;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await WaitAsync(table, stop);
                await SyncAsync(table, stop);
                table.IsFailing = false;
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                // The outcome of the last call is unknown.
                (table.Generation, table.IsFailing, table.BusySince) = (0, true, null);
                LogTableFailed(e.GetType().Name);
                await Task.Delay(s_retryDelay, time, CancellationToken.None);
            }
            catch (OperationCanceledException)
            {
                return;
            }

            Report();
        }
    }

    /// <summary>Returns when users have been added, or a renewal is due.</summary>
    private async Task WaitAsync(Table table, CancellationToken stop)
    {
        if (!table.IsInSync) return;
        var rest = options.Value.WatchRenewalInterval - time.GetElapsedTime(table.RenewedAt);
        try
        {
            if (rest > TimeSpan.Zero) await journal.AddedAsync(table.Position).WaitAsync(rest, time, stop);
            await Task.Delay(s_gathering, time, stop);
        }
        catch (TimeoutException)
        {
            // A renewal is due.
        }
    }

    private async Task SyncAsync(Table table, CancellationToken stop)
    {
        if (!table.IsInSync) await SendAllAsync(table, stop);
        while (table.IsInSync && !stop.IsCancellationRequested)
        {
            if (journal.Read(table.Position, PresenceBatches.MaxWatched) is not { } entries)
            {
                table.Generation = 0;
                return;
            }

            if (entries.Length == 0) break;

            // A draining front end releases all its users at once, when it stops.
            var (added, removed) = (Array.FindAll(entries, watches.Contains), drain.IsClosed ? [] : Array.FindAll(entries, userId => !watches.Contains(userId)));
            if (added.Length + removed.Length > 0) await UpdateAsync(table, added, removed);
            table.Position += entries.Length;
            Report();
        }

        if (!table.IsInSync) return;
        if (watches.Count > 0 && time.GetElapsedTime(table.RenewedAt) >= options.Value.WatchRenewalInterval) await RenewAsync(table);
        else if (watches.Count == 0) table.RenewedAt = time.GetTimestamp();
    }

    private async Task SendAllAsync(Table table, CancellationToken stop)
    {
        // Read before the users are listed, so that changes meanwhile are sent afterwards.
        table.Position = journal.End;
        table.Generation = 0;
        var isFirst = true;
        foreach (var chunk in watches.Users.Chunk(PresenceBatches.MaxWatched).DefaultIfEmpty([]))
        {
            if (!isFirst && !table.IsInSync) return;
            isFirst = false;
            stop.ThrowIfCancellationRequested();
            await UpdateAsync(table, chunk, []);
        }

        table.RenewedAt = time.GetTimestamp();
    }

    private Task<WatchTableAnswer> UpdateAsync(Table table, Guid[] added, Guid[] removed) =>
        CallAsync(table, () => table.Grain.UpdateAsync(registry.Id, reference.Value, added, removed, table.Generation));

    private async Task RenewAsync(Table table)
    {
        var answer = await CallAsync(table, () => table.Grain.RenewAsync(registry.Id, table.Generation, table.Mark));
        (table.Mark, table.RenewedAt) = (answer.Mark, time.GetTimestamp());
    }

    private async Task<WatchTableAnswer> CallAsync(Table table, Func<Task<WatchTableAnswer>> call)
    {
        table.BusySince = time.GetTimestamp();
        var answer = await call();
        table.BusySince = null;
        table.Generation = answer.Generation;
        foreach (var presence in answer.Changes) watches.Apply(presence);
        return answer;
    }

    private void Report()
    {
        var tables = _tables.Values;
        var needed = tables.Where(table => !table.IsFailing).Select(table => table.Position).DefaultIfEmpty(journal.End).Min();
        var counted = tables.Where(table => !table.IsFailing && !(table.BusySince is { } since && time.GetElapsedTime(since) > s_slowAfter)).ToArray();
        journal.Reach(counted.Select(table => table.IsInSync ? table.Position : 0).DefaultIfEmpty(journal.End).Min(), needed);
    }

    [LoggerMessage(2150, LogLevel.Debug, "The list of silos could not be read ({Reason}). It is read again.")]
    private partial void LogSilosUnknown(string reason);

    [LoggerMessage(2151, LogLevel.Debug, "A silo's watch table did not answer ({Reason}). It is sent all watched users again.")]
    private partial void LogTableFailed(string reason);

    [LoggerMessage(2152, LogLevel.Debug, "After a silo was lost, grains of watched users did not answer ({Reason}). The audit retries.")]
    private partial void LogAskFailed(string reason);
}
