using Npgsql;
using NpgsqlTypes;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Users;

/// <summary>Finds users in PostgreSQL or else inserts them, those who come at the same time together: planning, committing and the round trip cost most.</summary>
internal sealed class PostgresNewUsers(PostgresDatabase database, StoreMetrics metrics)
{
    // A statement of this size takes some milliseconds.
    private const int BatchSize = 200;

    // What the database inserts within the time that callers wait, roughly.
    private const int QueueLimit = 5_000;

    // The second SELECT sees what was there before. A row that is in neither has lost a race, or its e-mail is another user's.
    private const string FindOrInsertSql =
        $"""
        WITH added AS (
            INSERT INTO users ({UserTable.Columns})
            SELECT * FROM unnest(@ids, @emails, @verified, @names, @avatars, @created, @seen, @versions)
            ON CONFLICT DO NOTHING
            RETURNING {UserTable.Columns}
        )
        SELECT {UserTable.Columns}, true FROM added
        UNION ALL
        SELECT {UserTable.Columns}, false FROM users WHERE id = ANY (@ids)
        """;

    // By e-mail, because it is what two users can have in common: an INSERT waits for another session's uncommitted row with the same
    // e-mail.
    private readonly BatchWriter<UserRow, (UserRow? Found, bool IsNew)> _writer = new(
        (users, limits) => FindOrInsertAsync(database, users, limits), user => user.Email, database.BatchSettingsOf(BatchSize, QueueLimit), metrics);

    /// <summary>Inserts nobody.</summary>
    public Task WarmUpAsync() => FindOrInsertAsync(database, [], BatchLimits.Alone(SchemaUpgrade.StatementTimeout));

    /// <inheritdoc cref="IUserStore.FindOrInsertAsync"/>
    public async Task<(UserRow? Found, UserWrite Insert)> FindOrInsertAsync(UserRow user, CancellationToken cancellationToken)
    {
        var (found, isNew) = await _writer.AddAsync(user, cancellationToken);
        if (isNew) return (null, UserWrite.Saved);
        return found is null ? (null, await WhyNotAsync(user, cancellationToken)) : (found, UserWrite.Stale);
    }

    /// <summary>Why the user's row was not inserted: another user has the e-mail; else another activation, or a first try, was faster.</summary>
    public async Task<UserWrite> WhyNotAsync(UserRow user, CancellationToken cancellationToken)
    {
        var owner = await database.RunAsync(
            UserTable.OwnerSql,
            async (command, token) =>
            {
                command.Parameters.Add(new("email", user.Email));
                return (Guid?)await command.ExecuteScalarAsync(token);
            },
            cancellationToken);
        return owner is null || owner == user.Id ? UserWrite.Stale : UserWrite.EmailTaken;
    }

    private static async Task<(UserRow? Found, bool IsNew)[]> FindOrInsertAsync(PostgresDatabase database, UserRow[] users, BatchLimits limits)
    {
        // Two silos may insert the same e-mails: both in one order, so that neither waits for the other in a circle.
        var rows = users.OrderBy(user => user.Email, StringComparer.Ordinal).ToArray();
        var (added, found) = await database.RunBatchAsync(
            FindOrInsertSql,
            limits,
            parameters => AddRows(parameters, rows),
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

        // Of two that have both in common, the first was inserted.
        return Array.ConvertAll(users, user => (found.GetValueOrDefault(user.Id), added.Remove((user.Id, user.Email))));
    }

    private static void AddRows(NpgsqlParameterCollection parameters, UserRow[] rows)
    {
        Add("ids", NpgsqlDbType.Uuid, row => row.Id);
        Add("emails", NpgsqlDbType.Text, row => row.Email);
        Add("verified", NpgsqlDbType.Boolean, row => row.EmailVerified);
        Add("names", NpgsqlDbType.Text, row => row.Name);
        Add("avatars", NpgsqlDbType.Text, row => row.Avatar);
        Add("created", NpgsqlDbType.TimestampTz, row => row.CreatedAt.ToUniversalTime());
        Add("seen", NpgsqlDbType.TimestampTz, row => row.LastSeenAt?.ToUniversalTime());
        Add("versions", NpgsqlDbType.Bigint, row => row.Version);

        void Add<T>(string name, NpgsqlDbType type, Converter<UserRow, T> value) =>
            parameters.Add(new(name, NpgsqlDbType.Array | type) { Value = Array.ConvertAll(rows, value) });
    }
}
