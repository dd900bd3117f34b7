using System.Data.Common;
using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using DbUp;
using DbUp.Postgresql;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Pulse.Grains.Storage;

/// <summary>PostgreSQL through one pool. Every call ends within the command timeout, whatever the state of the server.</summary>
/// <remarks>
/// Works through a transaction-mode pooler, because session state, prepared statements and session locks end with their transaction.
/// Connections are therefore not reset between uses.
/// </remarks>
internal sealed class PostgresDatabase : IStoreDatabase, IAsyncDisposable, IDisposable
{
    private const string Setting = "ConnectionStrings:Postgres";
    private const int DefaultTimeoutSeconds = 2;
    private const int ConnectPatienceSeconds = 30;
    private const int DriverMarginSeconds = 5;

    // Several silos and other programs share the 100 connections that a server allows by default.
    private const int DefaultPoolSize = 20;

    // For idle connections: the kernel detects a lost peer within a minute. Npgsql has no setting for unacknowledged data.
    private const int KeepAliveSeconds = 15;
    private const int KeepAliveIntervalSeconds = 5;

    /// <summary>
    /// The part of a statement's time after which its connection may be unresponsive. The rest is for another attempt on a new connection.
    /// </summary>
    private const double DoubtAfter = 0.35;

    /// <summary>Time for an answer to travel from the server to this process, after the server has said that it has answered.</summary>
    private static readonly TimeSpan s_answerOnItsWay = TimeSpan.FromMilliseconds(20);

    /// <summary>Time for the server to end a statement at its own limit, on a busy machine too.</summary>
    private static readonly TimeSpan s_endOnItsWay = TimeSpan.FromMilliseconds(200);

    /// <summary>
    /// Part of the command timeout that is reserved for returning the answer to the caller in time, on a busy machine too.
    /// </summary>
    private static readonly TimeSpan s_answerMargin = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan s_pingTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_promptAnswer = TimeSpan.FromMilliseconds(500);

    private readonly PostgresPool _pool;
    private readonly ReadBreaker _readBreaker;
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

        // Otherwise the driver first asks each server for Kerberos encryption. An unresponsive server would block threads of the pool for
        // more than a second. TLS is unaffected.
        SetDefault("GSS Encryption Mode", GssEncryptionMode.Disable);

        _pool = new(settings, metrics);
        _readBreaker = new(PingAsync);
        _connectionString = settings.ConnectionString;
        _logger = logger;
        _timeout = settings.CommandTimeout == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(settings.CommandTimeout) - s_answerMargin;
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

    /// <summary>The most connections of the pool.</summary>
    public int MaxConnections => _pool.MaxConnections;

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

            // Runs on another thread, because DbUp blocks and may wait for another process.
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
        RunAsync("SELECT 1", (command, token) => command.ExecuteScalarAsync(token), new(), s_pingTimeout, cancellationToken);

    /// <inheritdoc/>
    public Task<bool> TakesWritesAsync(CancellationToken cancellationToken = default) => RunAsync(
        "SELECT current_setting('transaction_read_only') = 'off'", // On as well while the server is a standby.
        async (command, token) => (bool)(await command.ExecuteScalarAsync(token))!,
        new(),
        s_pingTimeout,
        cancellationToken);

    /// <summary>
    /// Runs one statement on a pooled connection, and repeats it once after a transient failure. The statement must be safe to repeat.
    /// </summary>
    /// <param name="sql">The statement.</param>
    /// <param name="execute">Adds the parameters, executes, reads the answer.</param>
    /// <param name="cancellationToken">The caller's token. <paramref name="execute"/> gets one that is also cancelled at the
    /// timeout.</param>
    /// <exception cref="StoreUnavailableException">The timeout has passed. The statement may still take effect.</exception>
    /// <exception cref="PostgresException">A unique constraint was violated. The database is unchanged.</exception>
    public Task<T> RunAsync<T>(string sql, Func<NpgsqlCommand, CancellationToken, Task<T>> execute, CancellationToken cancellationToken) =>
        RunAsync(sql, execute, new(), _timeout, cancellationToken);

    /// <summary>As the public <c>RunAsync</c>, but fails at once while the server is known to be unresponsive.</summary>
    /// <remarks>
    /// Writes always try, because a write is a user's request and not a repeated look. The first answered write ends the unresponsive
    /// state.
    /// </remarks>
    /// <exception cref="StoreUnavailableException">No answer in time, or none to an earlier caller.</exception>
    public async Task<T> ReadAsync<T>(string sql, Func<NpgsqlCommand, CancellationToken, Task<T>> execute, CancellationToken cancellationToken)
    {
        if (_readBreaker.IsOpen) throw new StoreUnavailableException("PostgreSQL has just failed to answer other callers");

        var started = Stopwatch.GetTimestamp();
        var attempt = new Attempt();
        try
        {
            return await RunAsync(sql, execute, attempt, _timeout, cancellationToken);
        }
        catch (StoreUnavailableException)
        {
            // A statement that is refused at once saves the waiting time, and succeeds again as soon as the server does. A read that found
            // the pool exhausted proves nothing about the server.
            var hasAsked = attempt.HasConnection || !_pool.Current.IsExhausted;
            if (hasAsked && Stopwatch.GetElapsedTime(started) > s_promptAnswer) _readBreaker.Trip(started);
            throw;
        }
    }

    /// <summary>
    /// As the public <c>RunAsync</c>, for a statement with the items of several callers, which must not wait long for one of them.
    /// </summary>
    /// <remarks>
    /// The limits apply to the transaction, so they are correct behind a transaction-mode pooler too. They cost no round trip.
    /// </remarks>
    /// <exception cref="BatchBlockedException">The server has cancelled the statement after these limits. The database is
    /// unchanged.</exception>
    /// <exception cref="StoreUnavailableException">The timeout has passed. The statement may still take effect.</exception>
    public Task<T> RunBatchAsync<T>(
        string sql, BatchLimits limits, Action<NpgsqlParameterCollection> addParameters, Func<NpgsqlDataReader, CancellationToken, Task<T>> read,
        CancellationToken cancellationToken = default)
    {
        // The server ends the statement at its limit, so an earlier silence proves nothing about the connection. This matters behind a pooler,
        // where the server cannot be asked.
        var doubt = _timeout * DoubtAfter;
        if (doubt > TimeSpan.Zero && limits.Statement + s_endOnItsWay > doubt) doubt = limits.Statement + s_endOnItsWay;
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
            new(),
            _timeout,
            doubt,
            cancellationToken);

        // PostgreSQL treats zero as unlimited.
        static long Milliseconds(TimeSpan limit) => Math.Max(1, (long)limit.TotalMilliseconds);
    }

    /// <summary>
    /// The settings of a <see cref="BatchWriter{TItem,TAnswer}"/> on this database. Its callers have the same timeout as for a statement of
    /// their own.
    /// </summary>
    public BatchSettings BatchSettingsOf(int batchSize, int queueLimit) =>
        new(batchSize, queueLimit, _timeout == Timeout.InfiniteTimeSpan ? SchemaUpgrade.StatementTimeout : _timeout);

    /// <inheritdoc/>
    public void Dispose()
    {
        _readBreaker.Dispose();
        _pool.Dispose();
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _readBreaker.Dispose();
        return _pool.DisposeAsync();
    }

    private Task<T> RunAsync<T>(
        string sql, Func<NpgsqlCommand, CancellationToken, Task<T>> execute, Attempt attempt, TimeSpan timeout, CancellationToken cancellationToken) =>
        RunAsync(sql, execute, attempt, timeout, timeout * DoubtAfter, cancellationToken);

    private async Task<T> RunAsync<T>(
        string sql, Func<NpgsqlCommand, CancellationToken, Task<T>> execute, Attempt attempt, TimeSpan timeout, TimeSpan doubt, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        try
        {
            // Waits on its own timer: the driver reacts to the token only after it has asked the server to cancel, which requires a
            // responsive server.
            var answer = await InTimeAsync(RunWithRetryAsync(sql, execute, attempt, doubt, deadline.Token), timeout, cancellationToken);
            _readBreaker.Reset();
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

    private async Task<T> RunWithRetryAsync<T>(
        string sql, Func<NpgsqlCommand, CancellationToken, Task<T>> execute, Attempt attempt, TimeSpan doubt, CancellationToken deadline)
    {
        try
        {
            return await RunDoubtingAsync(sql, execute, attempt, doubt, deadline);
        }
        catch (NpgsqlException exception) when (exception.IsTransient && !deadline.IsCancellationRequested)
        {
            // Typically a pooled connection whose server has restarted. The driver has emptied the pool. The jitter separates two
            // deadlocked callers.
            await Task.Delay(Random.Shared.Next(5, 50), deadline);
        }

        return await RunOnceAsync(_pool.Current, sql, execute, attempt, deadline);
    }

    /// <summary>Runs the statement, and repeats it once on a new connection if the pooled one is unresponsive.</summary>
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
            // The pool was replaced while the statement waited for a connection.
        }

        return await RunOnceAsync(_pool.Current, sql, execute, attempt, deadline);
    }

    /// <summary>Waits for a statement, and returns whether the wait is useless because its connection is unresponsive.</summary>
    private async Task<bool> IsSilentAsync(PostgresPool.Generation pool, Attempt attempt, Task statement, TimeSpan doubt, CancellationToken deadline)
    {
        if (await EndsWithinAsync(statement, doubt)) return false;

        // A statement that waits for a pooled or new connection is still unsent.
        while (!attempt.HasConnection)
        {
            if (await EndsWithinAsync(statement, doubt)) return false;
        }

        // Limited to a few at a time: while the server is unavailable, each of them would open a connection in vain.
        var place = _doubts.WaitAsync(deadline);
        await place.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!place.IsCompletedSuccessfully) return false;
        try
        {
            if (statement.IsCompleted) return false;
            if (pool.Dropped.IsCancellationRequested) return true;
            var isAtWork = await _pool.IsAtWorkAsync(attempt.ProcessId, deadline);
            return isAtWork is not true && !await EndsWithinAsync(statement, s_answerOnItsWay) && _pool.Drop(pool, isCertain: isAtWork is false);
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

    /// <summary>Observes a statement without a waiting caller, so that a later exception is ignored.</summary>
    private static void Abandon(Task statement) =>
        _ = statement.ContinueWith(static late => _ = late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);

    private async Task<T> RunOnceAsync<T>(
        PostgresPool.Generation pool, string sql, Func<NpgsqlCommand, CancellationToken, Task<T>> execute, Attempt attempt, CancellationToken deadline)
    {
        await using var connection = await OpenAsync(pool, deadline);
        pool.Take();
        try
        {
            // Cancelling a statement opens a connection and blocks the cancelling thread until the server has answered on it, which takes
            // seconds if the server hangs. The driver's own command timeout does the same. On the thread pool either one would stop the
            // whole silo during an outage of the database. Each cancelled statement therefore gets its own thread (at most as many as the
            // pool has connections), and the driver's command timeout is long enough never to fire first.
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

        // The call will wait for a connection, unless the pool is replaced.
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline, pool.Dropped);
        return await pool.DataSource.OpenConnectionAsync(either.Token);
    }

    private static void CancelElsewhere(CancellationTokenSource source) =>
        Task.Factory.StartNew(source.Cancel, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    /// <summary>
    /// A data source with the timeouts of start-up, because the drivers of many processes that start cold on one machine need seconds to
    /// connect.
    /// </summary>
    private NpgsqlDataSource NewPatientDataSource()
    {
        var settings = new NpgsqlConnectionStringBuilder(_connectionString)
        {
            Timeout = ConnectPatienceSeconds,
            CommandTimeout = (int)SchemaUpgrade.StatementTimeout.TotalSeconds,
        };

        // The schema needs only the type text. Loading all types from the server takes longer than the rest.
        return new NpgsqlDataSourceBuilder(settings.ConnectionString).ConfigureTypeLoading(types => types.EnableTypeLoading(false)).Build();
    }

    /// <summary>Refuses other encodings than UTF8, because they cannot represent names in all scripts.</summary>
    private static async Task RefuseOtherEncodingsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT current_setting('server_encoding')", connection);
        if (await command.ExecuteScalarAsync(cancellationToken) is not string encoding || encoding == "UTF8") return;
        throw new SchemaRefusedException(
            $"{Setting}: the database '{connection.Database}' has the encoding {encoding}, which cannot hold every name. "
            + $"Create one with UTF8 (CREATE DATABASE pulse ENCODING 'UTF8' TEMPLATE template0) and name it there.");
    }

    /// <summary>Explains why the schema could not be created: another program's tables exist, or the role lacks a right.</summary>
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
                $"{Setting}: Search Path is '{settings.SearchPath ?? "the server's default"}', which names no existing schema ({reason}). Create it "
                + $"(CREATE SCHEMA pulse AUTHORIZATION \"{settings.Username}\"), or name another one.", exception),
            var state when state.StartsWith("42", StringComparison.Ordinal) => new(
                $"{Setting}: the schema has tables of another program with the names of Pulse's tables ({reason}). Nothing was changed. Give Pulse a schema of its own "
                + $"(CREATE SCHEMA pulse AUTHORIZATION \"{settings.Username}\") and add Search Path=pulse, or name another database.", exception),
            _ => new($"{Setting}: PostgreSQL refuses the schema ({reason}). Nothing was changed.", exception),
        };
    }

    /// <summary>
    /// Whether the same statement may succeed later, after a recovery or an operator's repair, without a change to Pulse.
    /// </summary>
    private static bool IsUnavailable(Exception exception) => exception switch
    {
        // By class (the first two characters): connection, authorisation, resources, operator, system, internal. A pooler reports its own
        // errors as 08 and XX. The two codes: a missing database, and a standby that refuses writes.
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

        /// <summary>Cancels an unanswered statement, so that its connection is closed.</summary>
        public void GiveUp() => CancelElsewhere(_givenUp!);
    }
}
