using Npgsql;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Tests.Storage;

/// <summary>The PostgreSQL stores on a database made for the class, on the server that <c>PULSE_TEST_POSTGRES</c> names.</summary>
public sealed class PostgresStores : StoresFixture
{
    private const string Variable = "PULSE_TEST_POSTGRES";

    private readonly string _database = $"pulse_test_{Guid.NewGuid():N}";

    public override StoreOptions Options => new() { PostgresConnectionString = Settings(_database).ConnectionString };

    /// <summary>The same database as reached over another port.</summary>
    internal StoreOptions OptionsVia(int port)
    {
        var settings = Settings(_database);
        (settings.Host, settings.Port) = ("127.0.0.1", port);
        return new() { PostgresConnectionString = settings.ConnectionString };
    }

    /// <summary>Where the server listens.</summary>
    internal static (string Host, int Port) Server => (Settings().Host!, Settings().Port);

    protected override Task CreateAsync() => ExecuteOnServerAsync($"CREATE DATABASE {_database}");

    protected override Task DropAsync() => ExecuteOnServerAsync($"DROP DATABASE IF EXISTS {_database} WITH (FORCE)");

    private static NpgsqlConnectionStringBuilder Settings(string? database = null)
    {
        var text = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrWhiteSpace(text))
        {
            throw new InvalidOperationException(
                $"{Variable} is not set. Run the tests with ./test.sh, which starts a PostgreSQL for them, or set it to an Npgsql connection string "
                + "of a server where the tests may create databases.");
        }

        var settings = new NpgsqlConnectionStringBuilder(text);
        if (database is not null) settings.Database = database;
        return settings;
    }

    private static async Task ExecuteOnServerAsync(string sql)
    {
        var settings = Settings();
        settings.Pooling = false;
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
