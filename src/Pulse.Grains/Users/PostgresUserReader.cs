using NpgsqlTypes;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Users;

/// <summary>
/// Reads users with their tombstones from PostgreSQL. Concurrent requests share one statement, because planning and the round trip cost
/// most.
/// </summary>
internal sealed class PostgresUserReader
{
    // A statement of this size takes a few milliseconds.
    private const int BatchSize = 200;

    // Roughly the number of rows that the database reads within the timeout of a caller.
    private const int QueueLimit = 20_000;

    private const string FindSql =
        $"""
        SELECT {UserTable.Columns}, (SELECT erased_at FROM tombstones WHERE tombstones.id = asked_id), asked_id
        FROM unnest(@ids) AS asked (asked_id) LEFT JOIN users ON users.id = asked_id
        """;

    private readonly PostgresDatabase _database;
    private readonly BatchWriter<Guid, (UserRow? Row, DateTimeOffset? ErasedAt)> _reads;

    public PostgresUserReader(PostgresDatabase database, StoreMetrics metrics)
    {
        _database = database;

        // A read waits for no row, so the limits of a batch are left out.
        _reads = new((ids, _) => FindAsync(ids), id => id, database.BatchSettingsOf(BatchSize, QueueLimit), metrics);
    }

    /// <inheritdoc cref="IUserStore.FindWithTombstoneAsync"/>
    public Task<(UserRow? Row, DateTimeOffset? ErasedAt)> FindAsync(Guid userId, CancellationToken cancellationToken) => _reads.AddAsync(userId, cancellationToken);

    private Task<(UserRow? Row, DateTimeOffset? ErasedAt)[]> FindAsync(Guid[] ids) => _database.ReadAsync(
        FindSql,
        async (command, token) =>
        {
            command.Parameters.Add(new("ids", NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = ids.Distinct().ToArray() });
            await using var reader = await command.ExecuteReaderAsync(token);
            var found = new Dictionary<Guid, (UserRow?, DateTimeOffset?)>(ids.Length);
            while (await reader.ReadAsync(token)) found.Add(reader.GetGuid(reader.FieldCount - 1), UserTable.ReadFound(reader, reader.FieldCount - 2));
            return Array.ConvertAll(ids, id => found[id]);
        },
        CancellationToken.None);
}
