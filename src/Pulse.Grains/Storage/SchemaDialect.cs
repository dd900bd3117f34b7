namespace Pulse.Grains.Storage;

/// <summary>The differences between databases when the schema is applied.</summary>
/// <param name="Database">The database's name, for messages.</param>
/// <param name="Folder">The folder under <c>sql/</c> that has its scripts.</param>
/// <param name="ExistsSql">Returns one row if the journal table exists, otherwise none.</param>
/// <param name="CreateSql">Creates the journal table if it is missing.</param>
/// <param name="LockSql">Waits for other upgrading processes, and blocks them until the transaction ends. <see langword="null"/> if BEGIN
/// does this. The wait for tables is limited from then on.</param>
internal sealed record SchemaDialect(string Database, string Folder, string ExistsSql, string CreateSql, string? LockSql)
{
    public const string ReadSql = "SELECT script_name FROM schema_versions ORDER BY script_name";
    public const string AddSql = "INSERT INTO schema_versions (script_name) VALUES (@name)";

    /// <summary>
    /// The lock belongs to the transaction instead of the session, because sessions are shared behind a transaction-mode pooler.
    /// </summary>
    /// <remarks>
    /// The number is "PULSE" in ASCII. A database that Pulse shares must not use it as an advisory lock for another purpose. A script that
    /// waits for a table holds back the statements of the silos that run, so it gives up after 2 s, and the whole upgrade is repeated.
    /// </remarks>
    public static readonly SchemaDialect Postgres = new(
        "PostgreSQL",
        "postgres",
        "SELECT 1 WHERE to_regclass('schema_versions') IS NOT NULL",
        "CREATE TABLE IF NOT EXISTS schema_versions (script_name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())",
        "SELECT pg_advisory_xact_lock(x'50554C5345'::bigint); SET LOCAL lock_timeout = '2s'");

    /// <summary>Needs no lock of its own, because the driver begins with BEGIN IMMEDIATE, which admits one process at a time.</summary>
    public static readonly SchemaDialect Sqlite = new(
        "SQLite",
        "sqlite",
        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_versions'",
        "CREATE TABLE IF NOT EXISTS schema_versions (script_name TEXT PRIMARY KEY, "
            + "applied_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))) STRICT",
        LockSql: null);
}
