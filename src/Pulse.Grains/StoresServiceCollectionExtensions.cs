using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Hosting;
using Orleans.Storage;
using Pulse.Grains.Accounts;
using Pulse.Grains.Identity;
using Pulse.Grains.Presence;
using Pulse.Grains.Storage;
using Pulse.Grains.Users;

namespace Pulse.Grains;

/// <summary>Registers the stores: on PostgreSQL if its connection string is given, else on the embedded SQLite file.</summary>
public static class StoresServiceCollectionExtensions
{
    /// <summary>Registers the database, the stores and what they need, as singletons.</summary>
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
        }

        services.AddSingleton<ILastSeenStore>(provider => provider.GetRequiredService<IUserStore>());
        return services;
    }

    /// <summary>Brings the schema up to date. To be called, and waited for, before the silo starts: Orleans reads its statements from the database.</summary>
    /// <exception cref="StoreUnavailableException">The database does not answer.</exception>
    public static Task ApplyPulseSchemaAsync(this IServiceProvider services, CancellationToken cancellationToken = default) =>
        services.GetRequiredService<IStoreDatabase>().ApplySchemaAsync(cancellationToken);

    /// <summary>Makes the stores ready for their first request. The schema must be up to date.</summary>
    /// <exception cref="StoreUnavailableException">The database does not answer.</exception>
    public static Task WarmUpPulseStoresAsync(this IServiceProvider services, CancellationToken cancellationToken = default) =>
        services.GetRequiredService<IUserStore>().WarmUpAsync(cancellationToken);

    /// <summary>Keeps grain state (Orleans' default storage) in the same database. Needs <see cref="AddPulseStores"/>.</summary>
    public static ISiloBuilder AddPulseGrainStorage(this ISiloBuilder silo) => silo.AddAdoNetGrainStorageAsDefault(
        storage => storage.Configure<IStoreDatabase>((options, database) =>
        {
            options.Invariant = database.OrleansInvariant;
            options.DataSource = database.DataSource;
        }));
}
