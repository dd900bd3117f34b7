using Npgsql;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Tests.Storage;

/// <summary>The PostgreSQL stores on a database made for the class.</summary>
public class PostgresStores : StoresFixture
{
    private PostgresTestDatabase? _database;

    public override StoreOptions Options => new() { PostgresConnectionString = Adjust(_database!.ConnectionString) };

    /// <summary>The same database as reached over another port.</summary>
    internal StoreOptions OptionsVia(int port) =>
        new() { PostgresConnectionString = new NpgsqlConnectionStringBuilder(Options.PostgresConnectionString) { Host = "127.0.0.1", Port = port }.ConnectionString };

    /// <summary>The address of the server.</summary>
    internal static (string Host, int Port) Server => (TestServers.Postgres.Host!, TestServers.Postgres.Port);

    /// <summary>The connection string that the stores are given.</summary>
    private protected virtual string Adjust(string connectionString) => PostgresTestDatabase.WithTimeForABusyMachine(connectionString);

    protected override async Task CreateAsync() => _database = await PostgresTestDatabase.CreateAsync();

    protected override async Task DropAsync() => await _database!.DisposeAsync();
}

/// <summary>Such stores with the timeouts of production, for tests that measure how soon an answer comes.</summary>
public sealed class TimedPostgresStores : PostgresStores
{
    private protected override string Adjust(string connectionString) => connectionString;
}
