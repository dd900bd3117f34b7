using System.Data;
using DbUp.Engine;
using DbUp.Engine.Transactions;

namespace Pulse.Grains.Storage;

/// <summary>The table <c>schema_versions</c>, which lists the applied scripts and their times.</summary>
/// <remarks>
/// DbUp's own tables are unsuitable for two reasons. Reading this table takes the lock that admits one upgrading process at a time, inside
/// the transaction in which DbUp then runs the scripts. And its times are UTC.
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
