using System.Data;
using DbUp.Engine;
using DbUp.Engine.Transactions;

namespace Pulse.Grains.Storage;

/// <summary>The table <c>schema_versions</c>: which scripts have been applied to a database, and when.</summary>
/// <remarks>
/// Ours rather than DbUp's own tables for two reasons: reading it takes the lock that lets one process at a time upgrade, inside the transaction
/// in which DbUp then runs the scripts; and its times are UTC.
/// </remarks>
internal sealed class SchemaJournal(SchemaDialect dialect, IReadOnlySet<string> known, Func<IConnectionManager> connections) : IJournal
{
    /// <inheritdoc/>
    public string[] GetExecutedScripts() => connections().ExecuteCommandsWithManagedConnection(newCommand =>
    {
        if (dialect.LockSql is { } lockSql) Execute(newCommand, lockSql);
        EnsureTableExistsAndIsLatestVersion(newCommand);

        using var read = newCommand();
        read.CommandText = SchemaDialect.ReadSql;
        using var reader = read.ExecuteReader();
        var applied = new List<string>();
        while (reader.Read()) applied.Add(reader.GetString(0));

        SchemaUpgrade.ThrowIfNewer(dialect, applied, known);
        return applied.ToArray();
    });

    /// <inheritdoc/>
    public void StoreExecutedScript(SqlScript script, Func<IDbCommand> dbCommandFactory)
    {
        using var command = dbCommandFactory();
        command.CommandText = SchemaDialect.AddSql;
        var name = command.CreateParameter();
        name.ParameterName = "name";
        name.Value = script.Name;
        command.Parameters.Add(name);
        command.ExecuteNonQuery();
    }

    /// <inheritdoc/>
    public void EnsureTableExistsAndIsLatestVersion(Func<IDbCommand> dbCommandFactory) => Execute(dbCommandFactory, dialect.CreateSql);

    private static void Execute(Func<IDbCommand> newCommand, string sql)
    {
        using var command = newCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
