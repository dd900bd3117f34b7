using Npgsql;
using NpgsqlTypes;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Users;

/// <summary>
/// Finds or inserts users in PostgreSQL. Concurrent requests share one statement, because planning, committing and the round trip cost
/// most.
/// </summary>
internal sealed class PostgresUserInserter(PostgresDatabase database, UnprovenRows unproven, StoreMetrics metrics)
{
    // A statement of this size takes some milliseconds.
    private const int BatchSize = 200;

    // Roughly the number of rows that the database inserts within the timeout of a caller.
    private const int QueueLimit = 5_000;

    // The second SELECT sees the rows from before the statement. A user in neither result has lost a race, or the e-mail is another user's.
    private const string FindOrInsertSql =
        $"""
        WITH added AS (
            INSERT INTO users ({UserTable.Columns})
            SELECT * FROM unnest(
                @ids, @emails, @verified, @names, @avatars, @created, @seen, @versions, @unproven, @namesEdited, @avatarsEdited, @disabled, @notBefore)
                AS incoming (incoming_id)
            WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE tombstones.id = incoming_id)
            ON CONFLICT DO NOTHING
            RETURNING {UserTable.Columns}
        )
        SELECT {UserTable.Columns}, true FROM added
        UNION ALL
        SELECT {UserTable.Columns}, false FROM users WHERE id = ANY (@ids)
        """;

    // The key is the e-mail because two users can share it: an INSERT waits for another session's uncommitted row with the same e-mail.
    private readonly BatchWriter<UserRow, (UserRow? Found, bool IsNew)> _writer = new(
        (users, limits) => FindOrInsertAsync(database, users, unproven.MayBeNull, limits), KeyOf, database.BatchSettingsOf(BatchSize, QueueLimit), metrics);

    /// <summary>Runs the statement with zero rows.</summary>
    public Task WarmUpAsync() => FindOrInsertAsync(database, [], unproven.MayBeNull, BatchLimits.Alone(SchemaUpgrade.StatementTimeout));

    /// <inheritdoc cref="IUserStore.FindOrInsertAsync"/>
    public async Task<(UserRow? Found, UserWrite Insert)> FindOrInsertAsync(UserRow user, CancellationToken cancellationToken)
    {
        var (found, isNew) = await _writer.AddAsync(user, cancellationToken);
        if (isNew) return (null, UserWrite.Saved);
        return found is null ? (null, await FindConflictAsync(user, cancellationToken)) : (found, UserWrite.Stale);
    }

    /// <summary>
    /// Finds the reason for a refused write: another user has proven the e-mail, or another activation or a first attempt was faster.
    /// </summary>
    /// <remarks>
    /// Takes the e-mail from a user that has stated it and lacks a proof. The answer is then <see cref="UserWrite.Stale"/>, so that the
    /// caller writes again.
    /// </remarks>
    public async Task<UserWrite> FindConflictAsync(UserRow user, CancellationToken cancellationToken)
    {
        var owner = await database.RunAsync(
            UserTable.OwnerSql,
            async (command, token) =>
            {
                command.Parameters.Add(new("email", user.Email));
                await using var reader = await command.ExecuteReaderAsync(token);
                return await reader.ReadAsync(token) ? (Id: reader.GetGuid(0), IsVerified: reader.GetBoolean(1)) : ((Guid Id, bool IsVerified)?)null;
            },
            cancellationToken);
        if (owner is null || owner.Value.Id == user.Id || !user.EmailVerified) return UserWrite.Stale;
        if (owner.Value.IsVerified) return UserWrite.EmailTaken;

        await database.RunAsync(
            UserTable.TakeOverSql,
            (command, token) =>
            {
                command.Parameters.Add(new("email", user.Email));
                command.Parameters.Add(new("id", user.Id));
                command.Parameters.Add(new("nullable", unproven.MayBeNull));
                return command.ExecuteNonQueryAsync(token);
            },
            cancellationToken);
        return UserWrite.Stale;
    }

    // Two users may share an unproven address, so the id is the key.
    private static string KeyOf(UserRow user) => user.EmailVerified ? user.Email : user.Id.ToString("D");

    private static async Task<(UserRow? Found, bool IsNew)[]> FindOrInsertAsync(
        PostgresDatabase database, UserRow[] users, bool nullable, BatchLimits limits)
    {
        // Two silos may insert the same e-mails. A common order prevents a deadlock.
        var rows = users.OrderBy(KeyOf, StringComparer.Ordinal).ToArray();
        var (added, found) = await database.RunBatchAsync(
            FindOrInsertSql,
            limits,
            parameters => AddRows(parameters, rows, nullable),
            async (reader, token) =>
            {
                HashSet<(Guid Id, string Email)> added = [];
                Dictionary<Guid, UserRow> found = [];
                while (await reader.ReadAsync(token))
                {
                    var row = UserTable.Read(reader);
                    if (reader.GetBoolean(reader.FieldCount - 1)) added.Add((row.Id, row.Email));
                    else found.Add(row.Id, row);
                }

                return (added, found);
            });

        // If two requests in a batch share id and e-mail, only the first one is reported as inserted.
        return Array.ConvertAll(users, user => (found.GetValueOrDefault(user.Id), added.Remove((user.Id, user.Email))));
    }

    private static void AddRows(NpgsqlParameterCollection parameters, UserRow[] rows, bool nullable)
    {
        Add("ids", NpgsqlDbType.Uuid, row => row.Id);
        Add("emails", NpgsqlDbType.Text, row => AddressColumns.Email(row, nullable));
        Add("unproven", NpgsqlDbType.Text, AddressColumns.Unproven);
        Add("verified", NpgsqlDbType.Boolean, row => row.EmailVerified);
        Add("names", NpgsqlDbType.Text, row => row.Name);
        Add("avatars", NpgsqlDbType.Text, row => row.Avatar);
        Add("created", NpgsqlDbType.TimestampTz, row => row.CreatedAt.ToUniversalTime());
        Add("seen", NpgsqlDbType.TimestampTz, row => row.LastSeenAt?.ToUniversalTime());
        Add("versions", NpgsqlDbType.Bigint, row => row.Version);
        Add("namesEdited", NpgsqlDbType.Boolean, row => row.NameEdited);
        Add("avatarsEdited", NpgsqlDbType.Boolean, row => row.AvatarEdited);
        Add("disabled", NpgsqlDbType.TimestampTz, row => row.DisabledAt?.ToUniversalTime());
        Add("notBefore", NpgsqlDbType.TimestampTz, row => row.TokensNotBefore?.ToUniversalTime());

        void Add<T>(string name, NpgsqlDbType type, Converter<UserRow, T> value) =>
            parameters.Add(new(name, NpgsqlDbType.Array | type) { Value = Array.ConvertAll(rows, value) });
    }
}
