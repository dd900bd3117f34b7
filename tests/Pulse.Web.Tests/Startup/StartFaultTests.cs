using System.Net;
using System.Net.Sockets;
using Npgsql;
using Pulse.Grains.Tests;

namespace Pulse.Web.Tests.Startup;

/// <summary>Every fault at start, on the built programs: one line for an operator, and exit code 1.</summary>
public sealed class StartFaultTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pulse-start-");
    private readonly TcpListener _busy = new(IPAddress.Loopback, 0);

    public StartFaultTests() => _busy.Start();

    public static TheoryData<string> Faults => [.. StartFault.All.Keys];

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Start_WithAFault_SaysInOneLineWhatToChange(string name)
    {
        var fault = StartFault.All[name];
        await using var database = fault.Sql is null ? null : await PostgresFixture.CreateAsync(fault);
        if (fault.AppSettings is { } text) await File.WriteAllTextAsync(Path.Combine(_directory.FullName, "appsettings.json"), text);
        var settings = fault.Settings.Select(setting => KeyValuePair.Create(setting.Key, Fill(setting.Value, database)));

        await using var process = PulseProcess.Start(fault.Program, _directory.FullName, settings, fault.Arguments);
        var exitCode = await process.ExitAsync();

        Assert.True(exitCode == 1, $"Exit code {exitCode}:\n{process}");
        Assert.True(process.Errors.Count == fault.Lines, $"{process.Errors.Count} lines on standard error, not {fault.Lines}:\n{process}");
        Assert.All(fault.Names, expected => Assert.Contains(Fill(expected, database), process.Errors.First(), StringComparison.Ordinal));
        Assert.True(process.Output.All(line => !line.Contains("   at ", StringComparison.Ordinal) && !line.StartsWith("fail", StringComparison.Ordinal)), process.ToString());
        Assert.DoesNotContain(StartFault.Secret, process.ToString(), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _busy.Dispose();
        _directory.Delete(recursive: true);
    }

    private string Fill(string text, PostgresFixture? database) => text
        .Replace("{busy}", $"{((IPEndPoint)_busy.LocalEndpoint).Port}", StringComparison.Ordinal)
        .Replace("{postgres}", database?.ConnectionString, StringComparison.Ordinal)
        .Replace("{redis}", TestServers.Redis, StringComparison.Ordinal);

    /// <summary>A database that a start refuses.</summary>
    private sealed class PostgresFixture : IAsyncDisposable
    {
        private readonly string _name = $"pulse_test_{Guid.NewGuid():N}";
        private readonly bool _hasRole;

        private PostgresFixture(StartFault fault)
        {
            _hasRole = fault.AsLimitedRole;
            var settings = TestServers.Postgres;
            settings.Database = _name;
            if (_hasRole) settings.Username = _name;
            ConnectionString = settings.ConnectionString + fault.Suffix;
        }

        public string ConnectionString { get; }

        public static async Task<PostgresFixture> CreateAsync(StartFault fault)
        {
            var database = new PostgresFixture(fault);
            await ExecuteAsync(TestServers.Postgres.Database!, $"CREATE DATABASE {database._name} ENCODING '{fault.Encoding}' LOCALE 'C' TEMPLATE template0");
            if (database._hasRole) await ExecuteAsync(database._name, $"CREATE ROLE {database._name} LOGIN");
            foreach (var sql in fault.Sql!) await ExecuteAsync(database._name, sql);
            return database;
        }

        public async ValueTask DisposeAsync()
        {
            await ExecuteAsync(TestServers.Postgres.Database!, $"DROP DATABASE {_name} WITH (FORCE)");
            if (_hasRole) await ExecuteAsync(TestServers.Postgres.Database!, $"DROP ROLE {_name}");
        }

        private static async Task ExecuteAsync(string database, string sql)
        {
            var settings = TestServers.Postgres;
            (settings.Database, settings.Pooling) = (database, false);
            await using var connection = new NpgsqlConnection(settings.ConnectionString);
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync();
        }
    }
}
