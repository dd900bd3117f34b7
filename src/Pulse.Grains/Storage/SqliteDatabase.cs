using System.Data.Common;
using DbUp;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using SQLitePCL;

namespace Pulse.Grains.Storage;

/// <summary>One SQLite file for one Pulse process, with many readers and one writer at a time.</summary>
/// <remarks>
/// SQLite's driver is synchronous, so a call blocks its thread. This is acceptable for an embedded database with few users: a read takes
/// some microseconds, a write one sync of a local disk. Long waits block no thread: writers queue in <see cref="_writing"/>, and the file's
/// own lock only guards against a second process.
/// </remarks>
internal sealed class SqliteDatabase : IStoreDatabase, IDisposable
{
    /// <summary>Timeout of a caller, both for its turn in this process and for another process's lock.</summary>
    private static readonly TimeSpan s_commandTimeout = TimeSpan.FromSeconds(1.8);

    // A step takes some nanoseconds up to some microseconds.
    private const int StepsBetweenChecks = 1_000;

    private readonly SqliteDataSource _dataSource;
    private readonly ILogger _logger;
    private readonly TimeProvider _time;
    private readonly SemaphoreSlim _writing = new(1);

    public SqliteDatabase(string path, TimeProvider time, ILogger<SqliteDatabase> logger)
    {
        _dataSource = new SqliteDataSource(Path.GetFullPath(path), s_commandTimeout);
        _time = time;
        _logger = logger;
    }

    /// <inheritdoc/>
    public string Name => SchemaDialect.Sqlite.Database;

    /// <inheritdoc/>
    public string OrleansInvariant => "System.Data.SQLite";

    /// <inheritdoc/>
    public DbDataSource DataSource => _dataSource;

    /// <inheritdoc/>
    public async Task ApplySchemaAsync(CancellationToken cancellationToken = default)
    {
        var dialect = SchemaDialect.Sqlite;
        try
        {
            MakeDirectory(Path.GetDirectoryName(_dataSource.FilePath)!);
            _dataSource.UseWriteAheadLog();
            using (var connection = _dataSource.Open(s_commandTimeout))
            {
                if (await SchemaUpgrade.IsCurrentAsync(dialect, connection, cancellationToken)) return;
            }

            // Runs on another thread, because the call may wait for another process.
            await Task.Run(
                () => SchemaUpgrade.Apply(dialect, DeployChanges.To.SqliteDatabase(_dataSource.ConnectionStringFor(SchemaUpgrade.StatementTimeout)), _logger),
                cancellationToken);
        }
        catch (Exception exception) when (IsUnavailable(exception))
        {
            throw new StoreUnavailableException(exception.Message);
        }
    }

    /// <inheritdoc/>
    public Task PingAsync(CancellationToken cancellationToken = default) => ReadAsync(
        connection =>
        {
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT 1 FROM users LIMIT 1";
            return command.ExecuteScalar();
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<bool> TakesWritesAsync(CancellationToken cancellationToken = default) => ReadAsync(
        connection =>
        {
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT 1 FROM users LIMIT 1";
            command.ExecuteScalar();
            return raw.sqlite3_db_readonly(connection.Handle, "main") == 0;
        },
        cancellationToken);

    /// <summary>Runs a read. Writers leave it unblocked (WAL).</summary>
    /// <exception cref="StoreUnavailableException">The file is unreadable.</exception>
    public Task<T> ReadAsync<T>(Func<SqliteConnection, T> work, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(Translate(() =>
        {
            using var connection = _dataSource.Open(s_commandTimeout);
            return work(connection);
        }));
    }

    /// <summary>Runs a read that can take long on another thread, so that the caller's grain goes on.</summary>
    /// <param name="work">The read. Its statement ends with an error of <see cref="IsEnded"/> when its time is over.</param>
    /// <param name="isOver">Whether the time is over.</param>
    /// <param name="cancellationToken">Ends the statement too.</param>
    /// <exception cref="StoreUnavailableException">The file is unreadable.</exception>
    public Task<T> ReadApartAsync<T>(Func<SqliteConnection, T> work, Func<bool> isOver, CancellationToken cancellationToken) => Task.Run(
        () => Translate(() =>
        {
            using var connection = _dataSource.Open(s_commandTimeout);
            raw.sqlite3_progress_handler(connection.Handle, StepsBetweenChecks, _ => isOver() || cancellationToken.IsCancellationRequested ? 1 : 0, null);
            try
            {
                return work(connection);
            }
            finally
            {
                // The connection goes back to the pool.
                raw.sqlite3_progress_handler(connection.Handle, 0, null, null);
            }
        }),
        cancellationToken);

    /// <summary>Whether a statement of <see cref="ReadApartAsync"/> ended because its time was over.</summary>
    public static bool IsEnded(SqliteException exception) => exception.SqliteErrorCode == raw.SQLITE_INTERRUPT;

    /// <summary>Runs a write in its own transaction. An exception rolls it back.</summary>
    /// <exception cref="StoreUnavailableException">The file is read-only or damaged, or the turn came too late. The database is
    /// unchanged.</exception>
    /// <exception cref="SqliteException">A unique constraint was violated. The database is unchanged.</exception>
    public async Task<T> WriteAsync<T>(Func<SqliteConnection, T> work, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        if (!await _writing.WaitAsync(s_commandTimeout, cancellationToken)) throw new StoreUnavailableException("a write waited too long for SQLite's earlier writes");
        try
        {
            return Translate(() =>
            {
                using var connection = _dataSource.Open(s_commandTimeout - _time.GetElapsedTime(started));
                return InTransaction(connection, work);
            });
        }
        finally
        {
            _writing.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _dataSource.Dispose();
        _writing.Dispose();
    }

    /// <summary>Waits for the lock only at the beginning.</summary>
    /// <remarks>Bypasses the driver, which would poll a taken lock for at least a second, whatever the busy time.</remarks>
    private static T InTransaction<T>(SqliteConnection connection, Func<SqliteConnection, T> work)
    {
        Execute("BEGIN IMMEDIATE");
        try
        {
            var result = work(connection);
            Execute("COMMIT");
            return result;
        }
        catch
        {
            // Some errors have rolled back already, so the result of this statement is ignored.
            raw.sqlite3_exec(connection.Handle, "ROLLBACK");
            throw;
        }

        void Execute(string sql) => SqliteException.ThrowExceptionForRC(raw.sqlite3_exec(connection.Handle, sql), connection.Handle);
    }

    private static T Translate<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (SqliteException exception) when (IsUnavailable(exception))
        {
            throw new StoreUnavailableException(exception.Message);
        }
        catch (SqliteException exception) when (exception.SqliteExtendedErrorCode is not (raw.SQLITE_CONSTRAINT_UNIQUE or raw.SQLITE_CONSTRAINT_PRIMARYKEY))
        {
            throw new InvalidOperationException($"SQLite refused a statement: {exception.Message}");
        }
    }

    /// <summary>Whether the same statement may succeed later, after a recovery or an operator's repair of file or disk.</summary>
    private static bool IsUnavailable(Exception exception) => exception is IOException or UnauthorizedAccessException
        or SqliteException
        {
            SqliteErrorCode: raw.SQLITE_BUSY or raw.SQLITE_LOCKED or raw.SQLITE_NOMEM or raw.SQLITE_READONLY or raw.SQLITE_IOERR or raw.SQLITE_CORRUPT
                or raw.SQLITE_FULL or raw.SQLITE_CANTOPEN or raw.SQLITE_PROTOCOL or raw.SQLITE_NOTADB,
        };

    // The content of the file is private to its owner. An existing directory keeps its permissions.
    internal static void MakeDirectory(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }
}
