using System.Data;
using System.Data.Common;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace Pulse.Grains.Storage;

/// <summary>
/// The pool of connections to PostgreSQL, which is replaced as a whole when one of its connections turns out to be silent.
/// </summary>
/// <remarks>
/// Where a firewall has forgotten the connections or another machine has taken over the address, nothing tells the driver: each pooled
/// connection would cost
/// one statement its time. Npgsql has no setting for TCP_USER_TIMEOUT, and emptying its pool does not free the places of statements that
/// wait on
/// silent connections. Hence a new pool.
/// </remarks>
internal sealed class PostgresPool : DbDataSource
{
    // Behind a pooler the server cannot say whether it has a statement. A lock that is held for long must not cost a pool at each attempt.
    private static readonly TimeSpan DropIntervalOnDoubt = TimeSpan.FromSeconds(10);

    private readonly NpgsqlConnectionStringBuilder _settings;
    private readonly string _unpooledConnectionString;
    private readonly StoreMetrics _metrics;
    private readonly Lock _gate = new();
    private Generation _current;
    private long? _droppedAt;

    public PostgresPool(NpgsqlConnectionStringBuilder settings, StoreMetrics metrics)
    {
        _settings = settings;
        _unpooledConnectionString = new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Pooling = false }.ConnectionString;
        _metrics = metrics;
        _current = NewGeneration();
    }

    /// <summary>The pool for new statements.</summary>
    public Generation Current => Volatile.Read(ref _current);

    /// <inheritdoc/>
    public override string ConnectionString => _settings.ConnectionString;

    /// <summary>Asks the server, over a new connection, whether it works on the statement of another one.</summary>
    /// <returns><see langword="null"/> if it does not know the connection, as behind a pooler.</returns>
    public async Task<bool?> IsAtWorkAsync(int processId, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(_unpooledConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT state = 'active' FROM pg_stat_activity WHERE pid = @pid", connection);
        command.Parameters.Add(new("pid", processId));
        return await command.ExecuteScalarAsync(cancellationToken) as bool?;
    }

    /// <summary>Replaces a pool, unless another caller has replaced it already.</summary>
    /// <param name="generation">The pool with a silent connection.</param>
    /// <param name="isCertain">The server has said that it waits for a statement on that connection.</param>
    /// <returns>Whether <paramref name="generation"/> is replaced.</returns>
    public bool Drop(Generation generation, bool isCertain)
    {
        lock (_gate)
        {
            if (generation != _current) return true;
            if (!isCertain && _droppedAt is { } at && Stopwatch.GetElapsedTime(at) < DropIntervalOnDoubt) return false;
            _droppedAt = Stopwatch.GetTimestamp();
            Volatile.Write(ref _current, NewGeneration());
        }

        _metrics.DroppedPool();
        generation.Drop();
        return true;
    }

    /// <inheritdoc/>
    protected override DbConnection CreateDbConnection()
    {
        var pool = Current;
        var connection = pool.DataSource.CreateConnection();
        connection.StateChange += (_, change) =>
        {
            if (change.CurrentState == ConnectionState.Open) pool.Take();
            else if (change.OriginalState == ConnectionState.Open) pool.Return();
        };
        return connection;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing) Current.DataSource.Dispose();
        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    protected override async ValueTask DisposeAsyncCore()
    {
        await Current.DataSource.DisposeAsync();
        await base.DisposeAsyncCore();
    }

    private Generation NewGeneration() => new(new NpgsqlDataSourceBuilder(_settings.ConnectionString).Build(), _settings.MaxPoolSize);

    /// <summary>One pool of the driver.</summary>
    [SuppressMessage("Design", "CA1001", Justification = "A source without a timer holds nothing to dispose, and statements of a replaced pool still ask it.")]
    internal sealed class Generation(NpgsqlDataSource dataSource, int places)
    {
        private readonly CancellationTokenSource _dropped = new();
        private int _inUse;

        public NpgsqlDataSource DataSource => dataSource;

        /// <summary>Cancelled when the pool is replaced.</summary>
        public CancellationToken Dropped => _dropped.Token;

        /// <summary>Each connection is in use, so what is late has waited for a place, and says nothing about the server.</summary>
        public bool IsExhausted => Volatile.Read(ref _inUse) >= places;

        public void Take() => Interlocked.Increment(ref _inUse);

        public void Return() => Interlocked.Decrement(ref _inUse);

        /// <summary>Closes the idle connections; the others close when their statements end.</summary>
        public void Drop() => _ = Task.Run(async () =>
        {
            await _dropped.CancelAsync();
            await dataSource.DisposeAsync();
        });
    }
}
