namespace Pulse.Grains.Storage;

/// <summary>What differs between databases when the schema is applied.</summary>
/// <param name="Database">For people: the database's name.</param>
/// <param name="Folder">The folder under <c>sql/</c> that has its scripts.</param>
/// <param name="ExistsSql">Gives one row if the journal table is there, else none.</param>
/// <param name="CreateSql">Makes the journal table unless it is there.</param>
/// <param name="LockSql">Waits until no other process upgrades, and holds the others off until the transaction ends; <see langword="null"/> if beginning one does.</param>
internal sealed record SchemaDialect(string Database, string Folder, string ExistsSql, string CreateSql, string? LockSql)
{
    public const string ReadSql = "SELECT script_name FROM schema_versions ORDER BY script_name";
    public const string AddSql = "INSERT INTO schema_versions (script_name) VALUES (@name)";

    /// <summary>A lock of the transaction, not of the session: behind a transaction-mode pooler the session is shared.</summary>
    /// <remarks>The number is "PULSE" in ASCII; a database that Pulse shares must not use it as an advisory lock for something else.</remarks>
    public static readonly SchemaDialect Postgres = new(
        "PostgreSQL",
        "postgres",
        "SELECT 1 WHERE to_regclass('schema_versions') IS NOT NULL",
        "CREATE TABLE IF NOT EXISTS schema_versions (script_name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
        "SELECT pg_advisory_xact_lock(x'50554C5345'::bigint)");

    /// <summary>Needs no lock of its own: the driver begins with BEGIN IMMEDIATE, which lets one process in at a time.</summary>
    public static readonly SchemaDialect Sqlite = new(
        "SQLite",
        "sqlite",
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_versions'",
        "CREATE TABLE IF NOT EXISTS schema_versions (script_name TEXT PRIMARY KEY, "
            + "applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))) STRICT",
        LockSql: null);
}
