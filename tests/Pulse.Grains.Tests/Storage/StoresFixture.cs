using Microsoft.Extensions.DependencyInjection;
using Pulse.Grains.Accounts;
using Pulse.Grains.Identity;
using Pulse.Grains.Storage;
using Pulse.Grains.Users;
using Xunit;

namespace Pulse.Grains.Tests.Storage;

/// <summary>A separate database for each test class, with the schema applied and the stores registered as in production.</summary>
public abstract class StoresFixture : IAsyncLifetime
{
    private readonly List<ServiceProvider> _processes = [];

    internal IStoreDatabase Database { get; private set; } = null!;
    internal IUserStore Users { get; private set; } = null!;
    internal IAccountStore Accounts { get; private set; } = null!;
    internal IOneTimeTokenStore Tokens { get; private set; } = null!;
    internal ISessionStore Sessions { get; private set; } = null!;

    /// <summary>The location of the database.</summary>
    public abstract StoreOptions Options { get; }

    public async Task InitializeAsync()
    {
        await InitializeEmptyAsync();
        await Database.ApplySchemaAsync();
    }

    /// <summary>Like <see cref="InitializeAsync"/>, without the schema.</summary>
    public async Task InitializeEmptyAsync()
    {
        await CreateAsync();
        var services = StartProcess();
        Database = services.GetRequiredService<IStoreDatabase>();
        Users = services.GetRequiredService<IUserStore>();
        Accounts = services.GetRequiredService<IAccountStore>();
        Tokens = services.GetRequiredService<IOneTimeTokenStore>();
        Sessions = services.GetRequiredService<ISessionStore>();
    }

    public async Task DisposeAsync()
    {
        foreach (var services in _processes) await services.DisposeAsync();
        await DropAsync();
    }

    /// <summary>Another set of stores on the same database, like those of another process. Its schema is not applied yet.</summary>
    internal ServiceProvider StartProcess(StoreOptions? options = null)
    {
        var services = new ServiceCollection().AddLogging().AddPulseStores(options ?? Options).BuildServiceProvider();
        lock (_processes) _processes.Add(services);
        return services;
    }

    /// <summary>Runs plain SQL, as another program would. Returns the first value.</summary>
    public async Task<object?> ExecuteAsync(string sql)
    {
        await using var connection = await Database.DataSource.OpenConnectionAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        return await command.ExecuteScalarAsync();
    }

    /// <summary>Makes an empty database.</summary>
    protected abstract Task CreateAsync();

    protected abstract Task DropAsync();
}
