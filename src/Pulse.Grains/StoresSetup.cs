using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Storage;
using Pulse.Grains.Accounts;
using Pulse.Grains.Conversations;
using Pulse.Grains.Identity;
using Pulse.Grains.Presence;
using Pulse.Grains.Storage;
using Pulse.Grains.Users;

namespace Pulse.Grains;

/// <summary>Registers the stores: on PostgreSQL if its connection string is given, otherwise on the embedded SQLite file.</summary>
public static class StoresSetup
{
    /// <summary>Registers the database, the stores and their dependencies as singletons.</summary>
    public static IServiceCollection AddPulseStores(this IServiceCollection services, StoreOptions options)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddMetrics();
        services.AddSingleton<StoreMetrics>();
        services.AddSingleton<UnprovenRows>();
        if (string.IsNullOrWhiteSpace(options.PostgresConnectionString))
        {
            services.AddSingleton(provider => ActivatorUtilities.CreateInstance<SqliteDatabase>(provider, options.SqlitePath));
            services.AddSingleton<IStoreDatabase>(provider => provider.GetRequiredService<SqliteDatabase>());
            services.AddSingleton<IUserStore, SqliteUserStore>();
            services.AddSingleton<IAccountStore, SqliteAccountStore>();
            services.AddSingleton<IOneTimeTokenStore, SqliteOneTimeTokenStore>();
            services.AddSingleton<ISessionStore, SqliteSessionStore>();
            services.AddSingleton<INoticeStore, SqliteNoticeStore>();
            services.AddSingleton<IConversationStore, SqliteConversationStore>();
        }
        else
        {
            services.AddSingleton(provider => ActivatorUtilities.CreateInstance<PostgresDatabase>(provider, options.PostgresConnectionString));
            services.AddSingleton<IStoreDatabase>(provider => provider.GetRequiredService<PostgresDatabase>());
            services.AddSingleton<IUserStore, PostgresUserStore>();
            services.AddSingleton<IAccountStore, PostgresAccountStore>();
            services.AddSingleton<IOneTimeTokenStore, PostgresOneTimeTokenStore>();
            services.AddSingleton<ISessionStore, PostgresSessionStore>();
            services.AddSingleton<INoticeStore, PostgresNoticeStore>();
            services.AddSingleton<IConversationStore, PostgresConversationStore>();
        }

        services.AddSingleton<ILastSeenStore>(provider => provider.GetRequiredService<IUserStore>());
        return services;
    }

    /// <summary>
    /// Upgrades the schema. Await this call before the silo starts, because Orleans reads its statements from the database.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    public static Task ApplyPulseSchemaAsync(this IServiceProvider services, CancellationToken cancellationToken = default) =>
        services.GetRequiredService<IStoreDatabase>().ApplySchemaAsync(cancellationToken);

    /// <summary>Prepares the stores for their first request. The schema must be up to date.</summary>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    public static Task WarmUpPulseStoresAsync(this IServiceProvider services, CancellationToken cancellationToken = default) =>
        services.GetRequiredService<IUserStore>().WarmUpAsync(cancellationToken);

    /// <summary>Stores grain state (Orleans' default storage) in the same database. Requires <see cref="AddPulseStores"/>.</summary>
    public static ISiloBuilder AddPulseGrainStorage(this ISiloBuilder silo) => silo.AddAdoNetGrainStorageAsDefault(
        storage => storage.Configure<IStoreDatabase>((options, database) =>
        {
            options.Invariant = database.OrleansInvariant;
            options.DataSource = database.DataSource;
        }));
}
