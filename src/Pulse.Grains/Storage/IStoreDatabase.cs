using System.Data.Common;

namespace Pulse.Grains.Storage;

/// <summary>The database behind the stores: PostgreSQL or one SQLite file.</summary>
internal interface IStoreDatabase
{
    /// <summary>Its short name, for logs and health answers.</summary>
    string Name { get; }

    /// <summary>The driver's name in Orleans' ADO.NET providers.</summary>
    string OrleansInvariant { get; }

    /// <summary>
    /// Opens pooled connections with Pulse's settings. For Orleans' grain storage, because the stores have their own access.
    /// </summary>
    DbDataSource DataSource { get; }

    /// <summary>
    /// Upgrades the schema to this program's version. Any number of processes may call at once: one upgrades, the others wait for it.
    /// </summary>
    /// <remarks>Uses the timeouts of start-up: an absent database is reported at once, an unresponsive one after half a minute.</remarks>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    /// <exception cref="SchemaVersionException">The schema is newer than this program.</exception>
    Task ApplySchemaAsync(CancellationToken cancellationToken = default);

    /// <summary>Returns once the database has answered. The timeout is one second.</summary>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    Task PingAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Whether the database accepts writes. A standby and a read-only role answer, but refuse writes. The timeout is one second.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The database is unavailable.</exception>
    Task<bool> TakesWritesAsync(CancellationToken cancellationToken = default);
}
