using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using DbUp;
using DbUp.Postgresql;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Pulse.Grains.Storage;

/// <summary>PostgreSQL through one pool. Every call is answered within the command timeout, whatever has become of the server.</summary>
/// <remarks>
/// Works through a transaction-mode pooler: no session state, no prepared statement or session lock outlives a transaction, and connections
/// are not reset between uses, for there is nothing to reset.
/// </remarks>
internal sealed class PostgresDatabase : IStoreDatabase, IAsyncDisposable, IDisposable
{
    private const string Setting = "ConnectionStrings:Postgres";
    private const int DefaultTimeoutSeconds = 2;
    private const int ConnectPatienceSeconds = 30;
    private const int DriverMarginSeconds = 5;

    // Several silos, and what else uses the database, share the 100 places that a server has by default.
    private const int DefaultPoolSize = 20;

    // Idle connections: the kernel notices a peer that is gone within a minute. Npgsql has no setting for data that is not acknowledged.
    private const int KeepAliveSeconds = 15;
    private const int KeepAliveIntervalSeconds = 5;

    /// <summary>
    /// The part of a statement's time after which its connection may be a silent one. The rest is for another attempt on a new connection.
    /// </summary>
    private const double DoubtAfter = 0.35;

    /// <summary>What an answer may take from the server, which has just said that it has answered, to this process.</summary>
    private static readonly TimeSpan AnswerOnItsWay = TimeSpan.FromMilliseconds(20);

    /// <summary>Kept of the command timeout for handing the answer to the caller, who must have it within that time, on a busy machine too.</summary>
    private static readonly TimeSpan AnswerMargin = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PromptAnswer = TimeSpan.FromMilliseconds(500);

    private readonly PostgresPool _pool;
    private readonly Silence _silence;
    private readonly SemaphoreSlim _doubts = new(2);
    private readonly string _connectionString;
    private readonly ILogger _logger;
    private readonly TimeSpan _timeout;
    private readonly int _driverTimeoutSeconds;

    public PostgresDatabase(string connectionString, StoreMetrics metrics, ILogger<PostgresDatabase> logger)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        SetDefault("Timeout", DefaultTimeoutSeconds);
        SetDefault("Command Timeout", DefaultTimeoutSeconds);
        SetDefault("No Reset On Close", true);
        SetDefault("Application Name", "pulse");
        SetDefault("Maximum Pool Size", DefaultPoolSize);
        SetDefault("TCP Keepalive Time", KeepAliveSeconds);
        SetDefault("TCP Keepalive Interval", KeepAliveIntervalSeconds);

        // Else the driver first asks each server for Kerberos encryption, and while one does not answer, that holds threads of the pool for a second
        // and more. TLS is not affected.
        SetDefault("GSS Encryption Mode", GssEncryptionMode.Disable);

        _pool = new(settings, metrics);
        _silence = new(PingAsync);
        _connectionString = settings.ConnectionString;
        _logger = logger;
        _timeout = settings.CommandTimeout == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(settings.CommandTimeout) - AnswerMargin;
        _driverTimeoutSeconds = settings.CommandTimeout == 0 ? 0 : settings.CommandTimeout + (2 * settings.Timeout) + DriverMarginSeconds;

        void SetDefault(string keyword, object value)
        {
            if (!settings.ShouldSerialize(keyword)) settings[keyword] = value;
        }
    }

    /// <inheritdoc/>
    public string Name => SchemaDialect.Postgres.Database;

    /// <inheritdoc/>
    public string OrleansInvariant => "Npgsql";

    /// <inheritdoc/>
    public DbDataSource DataSource => _pool;

    /// <inheritdoc/>
    public async Task ApplySchemaAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await using var dataSource = NewPatientDataSource();
            await using (var connection = await dataSource.OpenConnectionAsync(cancellationToken))
            {
                await RefuseOtherEncodingsAsync(connection, cancellationToken);
                if (await SchemaUpgrade.IsCurrentAsync(SchemaDialect.Postgres, connection, cancellationToken)) return;
            }

            // Off the caller's thread: DbUp blocks, and may wait for another process.
            var upgrade = DeployChanges.To.PostgresqlDatabase(new PostgresqlConnectionManager(dataSource));
            await Task.Run(() => SchemaUpgrade.Apply(SchemaDialect.Postgres, upgrade, _logger), cancellationToken);
        }
        catch (Exception exception) when (IsUnavailable(exception))
        {
            throw Unavailable(exception);
        }
        catch (PostgresException exception)
        {
            throw Refused(exception);
        }
    }

    /// <inheritdoc/>
    public Task PingAsync(CancellationToken cancellationToken = default) =>
        RunAsync("SELECT 1", (command, token) => command.ExecuteScalarAsync(token), new(), PingTimeout, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> TakesWritesAsync(CancellationToken cancellationToken = default) => RunAsync(
        "SELECT current_setting('transaction_read_only') = 'off'", // On as well while the server is a standby.
        async (command, token) => (bool)(await command.ExecuteScalarAsync(token))!,
        new(),
        PingTimeout,
        cancellationToken);

    /// <summary>Runs one statement on a pooled connection; once more if it failed in a way that passes. It must bear repeating.</summary>
    /// <param name="sql">The statement.</param>
    /// <param name="execute">Adds the parameters, executes, reads the answer.</param>
    /// <param name="cancellationToken">The caller's; the one that <paramref name="execute"/> gets ends with the time for an answer too.</param>
    /// <exception cref="StoreUnavailableException">No answer in time; the statement may still take effect.</exception>
    /// <exception cref="PostgresException">A unique constraint was violated; the statement had no effect.</exception>
    public Task<T> RunAsync<T>(string sql, Func<NpgsqlCommand, CancellationToken, Task<T>> execute, CancellationToken cancellationToken) =>
        RunAsync(sql, execute, new(), _timeout, cancellationToken);

    /// <summary>As the public <c>RunAsync</c>, but fails at once while the server is known to be silent.</summary>
    /// <remarks>Writes always try: each is somebody's wish, not a look that is repeated; and the first that is answered ends the silence.</remarks>
    /// <exception cref="StoreUnavailableException">No answer in time, or none to whoever asked before.</exception>
    public async Task<T> ReadAsync<T>(string sql, Func<NpgsqlCommand, CancellationToken, Task<T>> execute, CancellationToken cancellationToken)
    {
        if (_silence.IsKept) throw new StoreUnavailableException("PostgreSQL has not answered others just now");

        var started = Stopwatch.GetTimestamp();
        var attempt = new Attempt();
        try
        {
            return await RunAsync(sql, execute, attempt, _timeout, cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            // What is refused at once costs nobody time, and works again at once. A read that found no place in the pool says nothing
            // about the server.
            var hasAsked = attempt.HasConnection || !_pool.Current.IsExhausted;
            if (hasAsked && Stopwatch.GetElapsedTime(started) > PromptAnswer) _silence.Begin(started);
            throw;
        }
    }

    /// <summary>
    /// As the public <c>RunAsync</c>, for a statement with the items of several callers, which must not wait long for one of them.
    /// </summary>
    /// <remarks>The limits hold for the transaction, so they are right behind a transaction-mode pooler too, and cost no round
    /// trip.</remarks>
    /// <exception cref="BatchBlockedException">The server has given the statement up after these limits. Nothing was written.</exception>
    /// <exception cref="StoreUnavailableException">No answer in time; the statement may still take effect.</exception>
    public Task<T> RunBatchAsync<T>(
        string sql, BatchLimits limits, Action<NpgsqlParameterCollection> addParameters, Func<NpgsqlDataReader, CancellationToken, Task<T>> read)
    {
        var limited = string.Create(
            CultureInfo.InvariantCulture,
            $"""
            SELECT set_config('lock_timeout', '{Milliseconds(limits.Lock)}', true), set_config('statement_timeout', '{Milliseconds(limits.Statement)}', true);
            {sql}
            """);
        return RunAsync(
            limited,
            async (command, token) =>
            {
                addParameters(command.Parameters);
                try
                {
                    await using var reader = await command.ExecuteReaderAsync(token);
                    await reader.NextResultAsync(token);
                    return await read(reader, token);
                }
                catch (PostgresException exception) when (exception.SqlState
                    is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.DeadlockDetected)
                {
                    throw new BatchBlockedException(exception.MessageText);
                }
            },
            CancellationToken.None);

        // Zero is no limit.
        static long Milliseconds(TimeSpan limit) => Math.Max(1, (long)limit.TotalMilliseconds);
    }

    /// <summary>
    /// The settings of a <see cref="BatchWriter{TItem,TAnswer}"/> on this database, whose callers wait as long as for a statement of their
    /// own.
    /// </summary>
    public BatchSettings BatchSettingsOf(int batchSize, int queueLimit) =>
        new(batchSize, queueLimit, _timeout == Timeout.InfiniteTimeSpan ? SchemaUpgrade.StatementTimeout : _timeout);

    /// <inheritdoc/>
    public void Dispose()
    {
        _silence.Dispose();
        _pool.Dispose();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _silence.Dispose();
        return _pool.DisposeAsync();
    }

    private async Task<T> RunAsync<T>(
        string sql, Func<NpgsqlCommand, CancellationToken, Task<T>> execute, Attempt attempt, TimeSpan timeout, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        try
        {
            // Waits by itself: the driver answers the token only when it has tried to have the server cancel, which takes a server that listens.
            var answer = await InTimeAsync(RunTwiceAsync(sql, execute, attempt, timeout * DoubtAfter, deadline.Token), timeout, cancellationToken);
            _silence.End();
            return answer;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw NoAnswer(timeout);
        }
        catch (Exception exception) when (IsUnavailable(exception))
        {
            throw Unavailable(exception);
        }
        catch (PostgresException exception) when (exception.SqlState != PostgresErrorCodes.UniqueViolation)
        {
            throw new InvalidOperationException(
                $"PostgreSQL refused a statement: {exception.SqlState} {exception.MessageText} {exception.ConstraintName}".TrimEnd());
        }
    }

    private static async Task<T> InTimeAsync<T>(Task<T> answer, TimeSpan timeout, CancellationToken cancellationToken)
    {
        try
        {
            return await answer.WaitAsync(timeout, cancellationToken);
        }
        catch (TimeoutException)
        {
            Abandon(answer);
            throw NoAnswer(timeout);
        }
    }

    private async Task<T> RunTwiceAsync<T>(
        string sql, Func<NpgsqlCommand, CancellationToken, Task<T>> execute, Attempt attempt, TimeSpan doubt, CancellationToken deadline)
    {
        try
        {
            return await RunDoubtingAsync(sql, execute, attempt, doubt, deadline);
        }
        catch (NpgsqlException exception) when (exception.IsTransient && !deadline.IsCancellationRequested)
        {
            // Typically a pooled connection whose server has restarted; the driver has emptied the pool. The jitter parts two deadlocked callers.
            await Task.Delay(Random.Shared.Next(5, 50), deadline);
        }

        return await RunOnceAsync(_pool.Current, sql, execute, attempt, deadline);
    }

    /// <summary>Runs the statement; once more on a new connection where the pooled one is silent.</summary>
    private async Task<T> RunDoubtingAsync<T>(
        string sql, Func<NpgsqlCommand, CancellationToken, Task<T>> execute, Attempt attempt, TimeSpan doubt, CancellationToken deadline)
    {
        var pool = _pool.Current;
        try
        {
            var first = RunOnceAsync(pool, sql, execute, attempt, deadline);
            if (doubt <= TimeSpan.Zero || !await IsSilentAsync(pool, attempt, first, doubt, deadline)) return await first;
            Abandon(first);
            attempt.GiveUp();
        }
        catch (Exception exception) when (exception is ObjectDisposedException or OperationCanceledException
            && !attempt.HasConnection && pool.Dropped.IsCancellationRequested && !deadline.IsCancellationRequested)
        {
            // The pool was replaced while the statement waited for a place in it.
        }

        return await RunOnceAsync(_pool.Current, sql, execute, attempt, deadline);
    }

    /// <summary>Waits for a statement; says whether it waits in vain, because nothing comes over its connection.</summary>
    private async Task<bool> IsSilentAsync(PostgresPool.Generation pool, Attempt attempt, Task statement, TimeSpan doubt, CancellationToken deadline)
    {
        if (await EndsWithinAsync(statement, doubt)) return false;

        // What waits for a place or for a new connection has not asked anything yet.
        while (!attempt.HasConnection)
        {
            if (await EndsWithinAsync(statement, doubt)) return false;
        }

        // A few at a time: while the server is unavailable, they would all open connections in vain.
        var place = _doubts.WaitAsync(deadline);
        await place.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!place.IsCompletedSuccessfully) return false;
        try
        {
            if (statement.IsCompleted) return false;
            if (pool.Dropped.IsCancellationRequested) return true;
            var isAtWork = await _pool.IsAtWorkAsync(attempt.ProcessId, deadline);
            return isAtWork is not true && !await EndsWithinAsync(statement, AnswerOnItsWay) && _pool.Drop(pool, isCertain: isAtWork is false);
        }
        catch (Exception exception) when (exception is OperationCanceledException or NpgsqlException or SocketException or IOException or TimeoutException)
        {
            return false; // New connections are not answered either.
        }
        finally
        {
            _doubts.Release();
        }
    }

    private static async Task<bool> EndsWithinAsync(Task statement, TimeSpan time)
    {
        await statement.WaitAsync(time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return statement.IsCompleted;
    }

    /// <summary>For a statement that nothing waits for any more: what it throws later is of no interest.</summary>
    private static void Abandon(Task statement) =>
        _ = statement.ContinueWith(static late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    private async Task<T> RunOnceAsync<T>(
        PostgresPool.Generation pool, string sql, Func<NpgsqlCommand, CancellationToken, Task<T>> execute, Attempt attempt, CancellationToken deadline)
    {
        await using var connection = await OpenAsync(pool, deadline);
        pool.Take();
        try
        {
            // Cancelling a statement opens a connection and blocks the cancelling thread until the server has answered on it, for seconds
            // if it hangs;
            // so does the driver's own command timeout. Neither may happen on the thread pool, or an outage of the database stops the
            // whole silo:
            // hence a thread for each statement given up (at most as many as the pool has connections), and a command timeout that never
            // comes first.
            var givenUp = new CancellationTokenSource();
            attempt.Begin(connection.ProcessID, givenUp);
            await using var registration = deadline.UnsafeRegister(static source => CancelElsewhere((CancellationTokenSource)source!), givenUp);
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = _driverTimeoutSeconds };
            return await execute(command, givenUp.Token);
        }
        finally
        {
            pool.Return();
        }
    }

    private static async Task<NpgsqlConnection> OpenAsync(PostgresPool.Generation pool, CancellationToken deadline)
    {
        if (!pool.IsExhausted) return await pool.DataSource.OpenConnectionAsync(deadline);

        // It will wait for a place. If the pool is replaced, it need not.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline, pool.Dropped);
        return await pool.DataSource.OpenConnectionAsync(either.Token);
    }

    private static void CancelElsewhere(CancellationTokenSource source) =>
        Task.Factory.StartNew(source.Cancel, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>Start-up is more patient than callers are: the drivers of many processes that start cold on one machine need seconds to connect.</summary>
    private NpgsqlDataSource NewPatientDataSource()
    {
        var settings = new NpgsqlConnectionStringBuilder(_connectionString)
        {
            Timeout = ConnectPatienceSeconds,
            CommandTimeout = (int)SchemaUpgrade.StatementTimeout.TotalSeconds,
        };

        // The schema needs no type but text; asking the server for all of them takes longer than the rest.
        return new NpgsqlDataSourceBuilder(settings.ConnectionString).ConfigureTypeLoading(types => types.EnableTypeLoading(false)).Build();
    }

    /// <summary>Names are in all scripts: another encoding has no place for some of them.</summary>
    private static async Task RefuseOtherEncodingsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT current_setting('server_encoding')", connection);
        if (await command.ExecuteScalarAsync(cancellationToken) is not string encoding || encoding == "UTF8") return;
        throw new SchemaRefusedException(
            $"{Setting}: the database '{connection.Database}' has the encoding {encoding}, which cannot hold every name. "
            + $"Make one with UTF8 (CREATE DATABASE pulse ENCODING 'UTF8' TEMPLATE template0) and name it there.");
    }

    /// <summary>The schema could not be made where it was to be: something else is there, or the role may not.</summary>
    private SchemaRefusedException Refused(PostgresException exception)
    {
        var settings = new NpgsqlConnectionStringBuilder(_connectionString);
        var reason = $"{exception.SqlState} {exception.MessageText}";
        return exception.SqlState switch
        {
            PostgresErrorCodes.InsufficientPrivilege => new(
                $"{Setting}: the role '{settings.Username}' lacks a right in the database '{settings.Database}' ({reason}). GRANT USAGE, CREATE on a schema to it, or give it one "
                + $"(CREATE SCHEMA pulse AUTHORIZATION \"{settings.Username}\") and add Search Path=pulse.", exception),
            PostgresErrorCodes.InvalidSchemaName => new(
                $"{Setting}: Search Path is '{settings.SearchPath ?? "the server's default"}', which names no schema that is there ({reason}). Make it "
                + $"(CREATE SCHEMA pulse AUTHORIZATION \"{settings.Username}\"), or name another one.", exception),
            var state when state.StartsWith("42", StringComparison.Ordinal) => new(
                $"{Setting}: the schema has tables of another program by the names of Pulse's ({reason}). Nothing was changed. Give Pulse a schema of its own "
                + $"(CREATE SCHEMA pulse AUTHORIZATION \"{settings.Username}\") and add Search Path=pulse, or name another database.", exception),
            _ => new($"{Setting}: PostgreSQL refuses the schema ({reason}). Nothing was changed.", exception),
        };
    }

    /// <summary>Whether the same statement may succeed later, here or after an operator's repair, without a change to Pulse.</summary>
    private static bool IsUnavailable(Exception exception) => exception switch
    {
        // By class (the first two characters): connection, authorisation, resources, operator, system, internal. A pooler reports its own
        // troubles as 08 and XX. The codes: no such database, and a standby that takes no writes.
        PostgresException postgres => postgres.IsTransient
            || postgres.SqlState[..2] is "08" or "28" or "53" or "57" or "58" or "XX"
            || postgres.SqlState is PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.ReadOnlySqlTransaction,
        NpgsqlException or SocketException or IOException or TimeoutException => true,
        _ => false,
    };

    private static StoreUnavailableException NoAnswer(TimeSpan timeout) => new($"no answer from PostgreSQL within {timeout.TotalSeconds:0.#} s");

    private static StoreUnavailableException Unavailable(Exception exception) => new(exception.Message);

    /// <summary>The connection on which a statement runs.</summary>
    private sealed class Attempt
    {
        private CancellationTokenSource? _givenUp;

        public bool HasConnection => Volatile.Read(ref _givenUp) is not null;

        public int ProcessId { get; private set; }

        public void Begin(int processId, CancellationTokenSource givenUp)
        {
            ProcessId = processId;
            Volatile.Write(ref _givenUp, givenUp);
        }

        /// <summary>Ends a statement that is not answered, so that its connection is closed.</summary>
        public void GiveUp() => CancelElsewhere(_givenUp!);
    }
}
