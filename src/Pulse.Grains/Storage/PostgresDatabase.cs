using System.Data.Common;
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
    private const int DefaultTimeoutSeconds = 2;

    /// <summary>What is left of the command timeout for noticing, retrying and answering when a caller must have the answer within it.</summary>
    private static readonly TimeSpan AnswerMargin = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(1);

    private readonly NpgsqlDataSource _dataSource;
    private readonly ILogger _logger;
    private readonly TimeSpan _timeout;

    public PostgresDatabase(string connectionString, ILogger<PostgresDatabase> logger)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        SetDefault("Timeout", DefaultTimeoutSeconds);
        SetDefault("Command Timeout", DefaultTimeoutSeconds);
        SetDefault("No Reset On Close", true);
        SetDefault("Application Name", "pulse");

        _dataSource = new NpgsqlDataSourceBuilder(settings.ConnectionString).Build();
        _logger = logger;
        _timeout = settings.CommandTimeout == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(settings.CommandTimeout) - AnswerMargin;

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
    public DbDataSource DataSource => _dataSource;

    /// <inheritdoc/>
    public async Task ApplySchemaAsync(CancellationToken cancellationToken = default)
    {
        var dialect = SchemaDialect.Postgres;
        if (await RunAsync((connection, token) => SchemaUpgrade.IsCurrentAsync(dialect, connection, token), cancellationToken)) return;

        try
        {
            // Off the caller's thread: DbUp blocks, and may wait for another process.
            await Task.Run(
                () => SchemaUpgrade.Apply(dialect, DeployChanges.To.PostgresqlDatabase(new PostgresqlConnectionManager(_dataSource)), _logger),
                cancellationToken);
        }
        catch (Exception exception) when (IsUnavailable(exception))
        {
            throw Unavailable(exception);
        }
    }

    /// <inheritdoc/>
    public Task PingAsync(CancellationToken cancellationToken = default) => RunAsync(
        async (connection, token) =>
        {
            using var command = new NpgsqlCommand("SELECT 1", connection);
            return await command.ExecuteScalarAsync(token);
        },
        PingTimeout,
        cancellationToken);

    /// <summary>Runs <paramref name="work"/> on a pooled connection; once more if it failed in a way that passes. It must bear repeating.</summary>
    /// <exception cref="StoreUnavailableException">No answer in time; <paramref name="work"/> may still take effect.</exception>
    /// <exception cref="PostgresException">A constraint was violated; <paramref name="work"/> had no effect.</exception>
    public Task<T> RunAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken cancellationToken) =>
        RunAsync(work, _timeout, cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _dataSource.Dispose();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _dataSource.DisposeAsync();

    private async Task<T> RunAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(timeout);
        try
        {
            // Waits by itself, for the token alone is no bound: Npgsql answers it by asking the server to cancel, on a connection of its own,
            // and a server that hangs keeps that waiting too. What is left behind ends by the driver's own timeouts.
            return await RunTwiceAsync(work, deadline.Token).WaitAsync(timeout, cancellationToken);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw NoAnswer(timeout);
        }
        catch (TimeoutException)
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

    private async Task<T> RunTwiceAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken deadline)
    {
        try
        {
            return await RunOnceAsync(work, deadline);
        }
        catch (NpgsqlException exception) when (exception.IsTransient && !deadline.IsCancellationRequested)
        {
            // Typically a pooled connection whose server has restarted; the driver has emptied the pool. The jitter parts two deadlocked callers.
            await Task.Delay(Random.Shared.Next(5, 50), deadline);
        }

        return await RunOnceAsync(work, deadline);
    }

    private async Task<T> RunOnceAsync<T>(Func<NpgsqlConnection, CancellationToken, Task<T>> work, CancellationToken deadline)
    {
        await using var connection = await _dataSource.OpenConnectionAsync(deadline);
        return await work(connection, deadline);
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
}
