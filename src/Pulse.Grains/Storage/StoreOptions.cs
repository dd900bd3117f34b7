namespace Pulse.Grains.Storage;

/// <summary>Which database the stores use, and where it is.</summary>
public sealed class StoreOptions
{
    /// <summary>An Npgsql connection string (<c>ConnectionStrings:Postgres</c>); <see langword="null"/> or empty: the embedded SQLite file.</summary>
    /// <remarks>
    /// <c>Timeout</c> and <c>Command Timeout</c> are 2 s unless it says otherwise; the command timeout is also all that a caller waits,
    /// connecting and retrying included. The pool has 20 connections (<c>Maximum Pool Size</c>).
    /// </remarks>
    public string? PostgresConnectionString { get; set; }

    /// <summary>The SQLite file; its directory is made if missing, for its owner alone. Unused with PostgreSQL.</summary>
    public string SqlitePath { get; set; } = Path.Combine("data", "pulse.db");
}
