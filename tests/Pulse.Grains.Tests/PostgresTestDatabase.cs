using Npgsql;

namespace Pulse.Grains.Tests;

/// <summary>An empty database of its own on the test server, dropped when disposed.</summary>
internal sealed class PostgresTestDatabase : IAsyncDisposable
{
    private readonly string _name = $"pulse_test_{Guid.NewGuid():N}";

    private PostgresTestDatabase()
    {
        var settings = TestServers.Postgres;
        settings.Database = _name;
        ConnectionString = settings.ConnectionString;
    }

    public string ConnectionString { get; }

    /// <summary>
    /// Adds three times the default timeout, because a statement on a busy machine may take longer than Pulse waits by default. Tests that
    /// measure how soon Pulse gives up keep the default.
    /// </summary>
    public static string WithTimeForABusyMachine(string connectionString) =>
        new NpgsqlConnectionStringBuilder(connectionString) { CommandTimeout = 6 }.ConnectionString;

    public static async Task<PostgresTestDatabase> CreateAsync()
    {
        var database = new PostgresTestDatabase();
        await ExecuteOnServerAsync($"CREATE DATABASE {database._name}");
        return database;
    }

    public async ValueTask DisposeAsync() => await ExecuteOnServerAsync($"DROP DATABASE IF EXISTS {_name} WITH (FORCE)");

    private static async Task ExecuteOnServerAsync(string sql)
    {
        var settings = TestServers.Postgres;
        settings.Pooling = false;
        await using var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
