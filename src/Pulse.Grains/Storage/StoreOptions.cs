namespace Pulse.Grains.Storage;

/// <summary>Selects the database of the stores and its location.</summary>
public sealed class StoreOptions
{
    /// <summary>
    /// An Npgsql connection string (<c>ConnectionStrings:Postgres</c>). <see langword="null"/> or empty selects the embedded SQLite file.
    /// </summary>
    /// <remarks>
    /// <c>Timeout</c> and <c>Command Timeout</c> default to 2 s. The command timeout is also the total time that a caller waits, including
    /// connecting and retrying. The pool has 20 connections (<c>Maximum Pool Size</c>).
    /// </remarks>
    public string? PostgresConnectionString { get; set; }

    /// <summary>The SQLite file. A missing directory is created with access for its owner only. Unused with PostgreSQL.</summary>
    public string SqlitePath { get; set; } = Path.Combine("data", "pulse.db");
}
