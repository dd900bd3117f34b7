using System.Data.Common;

namespace Pulse.Grains.Storage;

/// <summary>The database behind the stores: PostgreSQL or one SQLite file.</summary>
internal interface IStoreDatabase
{
    /// <summary>Its short name, for logs and health answers.</summary>
    string Name { get; }

    /// <summary>What Orleans' ADO.NET providers call the driver.</summary>
    string OrleansInvariant { get; }

    /// <summary>Opens pooled connections, set up as Pulse needs them. For Orleans' grain storage; the stores have their own way in.</summary>
    DbDataSource DataSource { get; }

    /// <summary>Brings the schema up to what this program knows. Any number of processes may ask at once: one does it, the others wait for it.</summary>
    /// <remarks>For start-up, and as patient: an absent database is reported at once, one that hangs after half a minute.</remarks>
    /// <exception cref="StoreUnavailableException">The database does not answer.</exception>
    /// <exception cref="SchemaVersionException">The schema is newer than this program.</exception>
    Task ApplySchemaAsync(CancellationToken cancellationToken = default);

    /// <summary>Returns once the database has answered; gives it one second.</summary>
    /// <exception cref="StoreUnavailableException">It did not.</exception>
    Task PingAsync(CancellationToken cancellationToken = default);

    /// <summary>
    /// Asks the database whether it takes writes: a standby and a read-only role answer, but take none. Gives it one second.
    /// </summary>
    /// <exception cref="StoreUnavailableException">It did not answer.</exception>
    Task<bool> TakesWritesAsync(CancellationToken cancellationToken = default);
}
