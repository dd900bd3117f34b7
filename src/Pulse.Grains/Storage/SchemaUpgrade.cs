using System.Data.Common;
using System.Runtime.ExceptionServices;
using DbUp.Builder;
using DbUp.Engine;
using Microsoft.Extensions.Logging;

namespace Pulse.Grains.Storage;

/// <summary>Applies the missing scripts of <c>sql/</c> to a database, all of them in one transaction.</summary>
internal static partial class SchemaUpgrade
{
    /// <summary>Maximum time of one statement, including the wait for another process that upgrades.</summary>
    public static readonly TimeSpan StatementTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Whether every script is applied. Takes one or two cheap reads and no lock, which is enough for most starts.</summary>
    /// <exception cref="SchemaVersionException">The schema is newer than this program.</exception>
    public static async Task<bool> IsCurrentAsync(SchemaDialect dialect, DbConnection connection, CancellationToken cancellationToken)
    {
        using var command = connection.CreateCommand();
        command.CommandText = dialect.ExistsSql;
        if (await command.ExecuteScalarAsync(cancellationToken) is null) return false;

        command.CommandText = SchemaDialect.ReadSql;
        var applied = new List<string>();
        using (var reader = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken)) applied.Add(reader.GetString(0));
        }

        var known = ScriptsOf(dialect).Select(script => script.Name).ToHashSet();
        ThrowIfNewer(dialect, applied, known);
        return known.IsSubsetOf(applied);
    }

    /// <summary>Applies the missing scripts. Blocks, because DbUp is synchronous.</summary>
    /// <param name="dialect">The database.</param>
    /// <param name="builder">DbUp with its connection.</param>
    /// <param name="logger">Logs the applied scripts.</param>
    public static void Apply(SchemaDialect dialect, UpgradeEngineBuilder builder, ILogger logger)
    {
        var scripts = ScriptsOf(dialect);
        var known = scripts.Select(script => script.Name).ToHashSet();
        builder.Configure(c => c.Journal = new SchemaJournal(dialect, known, () => c.ConnectionManager));
        var result = builder
            .WithScripts(scripts)
            .WithTransaction()
            .WithVariablesDisabled()    // $query$ in a script is a quote, not a variable
            .WithExecutionTimeout(StatementTimeout)
            .LogToNowhere()
            .Build()
            .PerformUpgrade();

        // Rethrown unchanged, because the database classes distinguish an absent database from a broken script.
        if (!result.Successful) ExceptionDispatchInfo.Throw(result.Error);
        foreach (var script in result.Scripts) LogApplied(logger, dialect.Database, script.Name);
    }

    /// <summary>Throws if a database has a script that this program lacks.</summary>
    public static void ThrowIfNewer(SchemaDialect dialect, IEnumerable<string> applied, IReadOnlySet<string> known)
    {
        var unknown = applied.Where(name => !known.Contains(name)).ToList();
        if (unknown.Count > 0) throw new SchemaVersionException(dialect.Database, unknown);
    }

    /// <summary>The embedded scripts in the order of their numbers.</summary>
    private static SqlScript[] ScriptsOf(SchemaDialect dialect)
    {
        var assembly = typeof(SchemaUpgrade).Assembly;
        return
        [
            .. from resource in assembly.GetManifestResourceNames()
               let parts = resource.Split('/', '\\')    // the separator is that of the machine that built
               where parts is ["sql", _, _] && parts[1] == dialect.Folder
               orderby parts[2]
               select SqlScript.FromStream(parts[2], assembly.GetManifestResourceStream(resource)!),
        ];
    }

    [LoggerMessage(3000, LogLevel.Information, "Applied schema script {Script} to the {Database} database")]
    private static partial void LogApplied(ILogger logger, string database, string script);
}
