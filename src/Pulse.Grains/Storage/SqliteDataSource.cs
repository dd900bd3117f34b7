using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace Pulse.Grains.Storage;

/// <summary>Opens pooled connections to one SQLite file, each with Pulse's settings.</summary>
/// <param name="filePath">Absolute. The file is created on first use. Its directory must exist.</param>
/// <param name="patience">Timeout with which Orleans' connections wait for another writer.</param>
internal sealed class SqliteDataSource(string filePath, TimeSpan patience) : DbDataSource
{
    // FULL: an answered write survives a power failure as well as a crash of the process. A pooled connection may have any of these
    // settings from its last use.
    private const string SetUpSql = "PRAGMA synchronous = FULL; PRAGMA busy_timeout = ";

    /// <summary>The file.</summary>
    public string FilePath => filePath;

    /// <inheritdoc/>
    public override string ConnectionString => ConnectionStringFor(TimeSpan.FromSeconds(1));

    /// <summary>The connection string with a command timeout, in whole seconds.</summary>
    public string ConnectionStringFor(TimeSpan commandTimeout) => new SqliteConnectionStringBuilder
    {
        DataSource = filePath,
        ForeignKeys = true,
        DefaultTimeout = (int)commandTimeout.TotalSeconds,
    }.ToString();

    /// <summary>Opens a connection whose statements wait up to <paramref name="busy"/> for another writer's lock.</summary>
    /// <remarks>
    /// SQLite's own wait polls every few milliseconds. The driver's additional wait ends with the command timeout. That timeout is at its
    /// minimum of one second, which has passed by then unless <paramref name="busy"/> is shorter.
    /// </remarks>
    public SqliteConnection Open(TimeSpan busy)
    {
        var connection = new SqliteConnection(ConnectionString);
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = string.Create(CultureInfo.InvariantCulture, $"{SetUpSql}{Math.Max(1, (long)busy.TotalMilliseconds)}");
            command.ExecuteNonQuery();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Lets readers and a writer work in parallel. The file stores this mode.</summary>
    public void UseWriteAheadLog()
    {
        using var connection = new SqliteConnection(ConnectionStringFor(SchemaUpgrade.StatementTimeout));
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL";
        command.ExecuteScalar();
    }

    /// <inheritdoc/>
    protected override DbConnection CreateDbConnection() => new SqliteConnection(ConnectionString);

    /// <inheritdoc/>
    protected override DbConnection OpenDbConnection() => Open(patience);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        // Closes the pool's handles, so that the file can be moved or deleted.
        using var connection = new SqliteConnection(ConnectionString);
        SqliteConnection.ClearPool(connection);
        base.Dispose(disposing);
    }
}
