using Pulse.Grains.Tests;

namespace Pulse.Web.Tests.Startup;

/// <summary>Tests of the built programs, with a directory and a PostgreSQL database of each test's own.</summary>
public abstract class ProgramTests : IAsyncLifetime
{
    private PostgresTestDatabase _database = null!;

    private protected DirectoryInfo Folder { get; } = Directory.CreateTempSubdirectory("pulse-program-");

    private protected string Postgres => _database.ConnectionString;

    public async Task InitializeAsync() => _database = await PostgresTestDatabase.CreateAsync();

    public async Task DisposeAsync()
    {
        await _database.DisposeAsync();
        Folder.Delete(recursive: true);
    }

    private protected PulseProcess Start(string program, params (string Key, string Value)[] settings) =>
        PulseProcess.Start(program, Folder.FullName, settings.Select(setting => KeyValuePair.Create(setting.Key, setting.Value)));
}
