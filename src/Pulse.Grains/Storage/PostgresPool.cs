using System.Data;
using System.Data.Common;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace Pulse.Grains.Storage;

/// <summary>The pool of connections to PostgreSQL, which is replaced as a whole when one of its connections is unresponsive.</summary>
/// <remarks>
/// If a firewall has dropped the connections or another machine has taken over the address, the driver gets no notification, and each
/// pooled connection would cost one statement its whole timeout. Npgsql has no setting for TCP_USER_TIMEOUT, and clearing its pool does not
/// free the connections of statements that wait on unresponsive connections. Hence a new pool.
/// </remarks>
internal sealed class PostgresPool : DbDataSource
{
    // Behind a pooler the server's view of a statement is unknown. A lock that is held for long must not replace a pool at each attempt.
    private static readonly TimeSpan s_dropIntervalOnDoubt = TimeSpan.FromSeconds(10);

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

    /// <summary>The most connections of one pool.</summary>
    public int MaxConnections => _settings.MaxPoolSize;

    /// <inheritdoc/>
    public override string ConnectionString => _settings.ConnectionString;

    /// <summary>Asks the server, over a new connection, whether it is executing the statement of another connection.</summary>
    /// <returns><see langword="null"/> if the server does not know the connection, as behind a pooler, or keeps no activities.</returns>
    public async Task<bool?> IsAtWorkAsync(int processId, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(_unpooledConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT nullif(state, 'disabled') = 'active' FROM pg_stat_activity WHERE pid = @pid", connection);
        command.Parameters.Add(new("pid", processId));
        return await command.ExecuteScalarAsync(cancellationToken) as bool?;
    }

    /// <summary>Replaces a pool, unless another caller has replaced it already.</summary>
    /// <param name="generation">The pool with an unresponsive connection.</param>
    /// <param name="isCertain">Whether the server has confirmed that it waits for a statement on that connection.</param>
    /// <returns>Whether <paramref name="generation"/> is replaced.</returns>
    public bool Drop(Generation generation, bool isCertain)
    {
        lock (_gate)
        {
            if (generation != _current) return true;
            if (!isCertain && _droppedAt is { } at && Stopwatch.GetElapsedTime(at) < s_dropIntervalOnDoubt) return false;
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

        /// <summary>
        /// Whether all connections are in use. A late statement has then waited for a connection, which proves nothing about the server.
        /// </summary>
        public bool IsExhausted => Volatile.Read(ref _inUse) >= places;

        public void Take() => Interlocked.Increment(ref _inUse);

        public void Return() => Interlocked.Decrement(ref _inUse);

        /// <summary>Closes the idle connections. The others close when their statements end.</summary>
        public void Drop() => _ = Task.Run(async () =>
        {
            await _dropped.CancelAsync();
            await dataSource.DisposeAsync();
        });
    }
}
