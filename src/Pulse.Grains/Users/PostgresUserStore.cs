using System.Collections.Frozen;
using Npgsql;
using NpgsqlTypes;
using Pulse.Accounts;
using Pulse.Grains.Accounts;
using Pulse.Grains.Presence;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Users;

/// <summary><c>users</c> in PostgreSQL. Every method takes one round trip.</summary>
/// <remarks>
/// Every statement is safe to repeat, and <see cref="PostgresDatabase"/> repeats it once. If the first attempt of a repeated insert or
/// update had committed, the second finds the row, or finds its version one higher, and answers <see cref="UserWrite.Stale"/>. The grain
/// then reads again and sees its own write.
/// </remarks>
internal sealed class PostgresUserStore(PostgresDatabase database, UnprovenRows unproven, StoreMetrics metrics) : IUserStore
{
    // Constraint names from 001_identity.sql.
    private const string EmailConstraint = "users_email_key";
    private const string AccountConstraint = "accounts_provider_account_key";

    private const string InsertWithAccountSql =
        $"""
        WITH added AS ({UserTable.InsertSql} RETURNING id)
        INSERT INTO accounts (id, user_id, type, provider, provider_account_id, email)
        SELECT @accountId, id, @type, @provider, @providerAccountId, @accountEmail FROM added
        """;

    private const string FindLastSeenSql = "SELECT id, last_seen FROM users WHERE id = ANY(@ids) AND last_seen IS NOT NULL";

    // The statement skips rows that another session has locked instead of waiting, and its answer names them. The lock is the same that
    // UPDATE takes. Only rows that would change are locked and written. GREATEST is needed although the WHERE has compared, because a row
    // that changed before it was locked appears here in its new version.
    internal const string SaveLastSeenSql =
        """
        WITH due AS MATERIALIZED (
            SELECT users.id, seen.at
            FROM unnest(@ids, @times) AS seen (id, at) JOIN users ON users.id = seen.id
            WHERE users.last_seen IS NULL OR users.last_seen < seen.at
        ), free AS (
            SELECT users.id, due.at FROM due JOIN users ON users.id = due.id
            FOR NO KEY UPDATE OF users SKIP LOCKED
        ), written AS (
            UPDATE users SET last_seen = GREATEST(users.last_seen, free.at) FROM free WHERE users.id = free.id RETURNING users.id
        )
        SELECT id FROM due EXCEPT SELECT id FROM written
        """;

    // One statement is one transaction. An existing tombstone keeps the later time.
    private const string EraseSql =
        """
        WITH tokens AS (
            DELETE FROM verification_tokens WHERE identifier = ANY(@mailboxes)
        ), erased AS (
            DELETE FROM users WHERE id = @id
        )
        INSERT INTO tombstones (id, erased_at) SELECT unnest(@ids), @at
        ON CONFLICT (id) DO UPDATE SET erased_at = GREATEST(tombstones.erased_at, excluded.erased_at)
        """;

    // All of the user's accounts are locked in one order, as in an unlink, so that two of them cannot delete the last two accounts.
    private const string UpdateAddressSql =
        $"""
        WITH changed AS ({UserTable.UpdateProfileSql} RETURNING id),
        mine AS MATERIALIZED (
            SELECT id, provider = 'email' AND provider_account_id = @former AS is_former, provider = 'email' AND provider_account_id = @email AS is_new
            FROM accounts WHERE user_id = (SELECT id FROM changed) ORDER BY id FOR UPDATE
        ),
        rule AS (SELECT NOT bool_or(is_new) AND (@confirmed OR count(*) = 1) AS moves FROM mine),
        moved AS (
            UPDATE accounts SET provider_account_id = @email, email = @email
            WHERE id IN (SELECT id FROM mine WHERE is_former) AND (SELECT moves FROM rule)
        ),
        removed AS (
            DELETE FROM accounts WHERE id IN (SELECT id FROM mine WHERE is_former) AND NOT (SELECT moves FROM rule)
        ),
        added AS (
            INSERT INTO accounts (id, user_id, type, provider, provider_account_id, email)
            SELECT @accountId, id, 'email', 'email', @email, @email FROM changed
            WHERE @confirmed AND NOT EXISTS (SELECT 1 FROM mine WHERE is_former OR is_new)
        ),
        accepted AS (
            DELETE FROM declined_accounts
            WHERE user_id = (SELECT id FROM changed) AND provider = 'email' AND provider_account_id = @email AND @confirmed
        ),
        kept AS (
            UPDATE sessions SET account = '{AccountTable.MailboxKey}' || @email
            WHERE id = @session AND user_id = (SELECT id FROM changed) AND account = '{AccountTable.MailboxKey}' || @former
        )
        SELECT count(*) FROM changed
        """;

    private readonly PostgresUserInserter _inserter = new(database, unproven, metrics);
    private readonly PostgresUserReader _reader = new(database, metrics);

    /// <inheritdoc/>
    public async Task WarmUpAsync(CancellationToken cancellationToken = default)
    {
        await FindWithTombstoneAsync(Guid.Empty, cancellationToken);
        await _inserter.WarmUpAsync();
    }

    /// <inheritdoc/>
    public Task<(UserRow? Row, DateTimeOffset? ErasedAt)> FindWithTombstoneAsync(Guid userId, CancellationToken cancellationToken = default) =>
        _reader.FindAsync(userId, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<UserRow>> ListAfterAsync(Guid after, int count, CancellationToken cancellationToken = default) =>
        ListAsync(UserTable.ListAfterSql, () => [new("after", after), new("count", count)], cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<UserRow>> FindByEmailAsync(string email, int count, CancellationToken cancellationToken = default) =>
        ListAsync(UserTable.FindByEmailSql, () => [new("email", email), new("count", count)], cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> SetDisabledAsync(Guid userId, DateTimeOffset? disabledAt, CancellationToken cancellationToken = default) =>
        await database.RunAsync(
            disabledAt is null ? UserTable.EnableSql : UserTable.DisableSql,
            (command, token) =>
            {
                command.Parameters.Add(new("id", userId));
                if (disabledAt is { } at) command.Parameters.Add(new("at", at.ToUniversalTime()));
                return command.ExecuteNonQueryAsync(token);
            },
            cancellationToken) > 0;

    /// <inheritdoc/>
    public Task EraseAsync(Guid userId, Guid[] accounts, string[] mailboxes, DateTimeOffset at, CancellationToken cancellationToken = default) => database.RunAsync(
        EraseSql,
        (command, token) =>
        {
            command.Parameters.Add(new("id", userId));
            command.Parameters.Add(new("ids", NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = accounts.Append(userId).Distinct().ToArray() });
            command.Parameters.Add(new("mailboxes", NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = mailboxes });
            command.Parameters.Add(new("at", at.ToUniversalTime()));
            return command.ExecuteNonQueryAsync(token);
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<DateTimeOffset?> FindTombstoneAsync(Guid id, CancellationToken cancellationToken = default) => database.ReadAsync<DateTimeOffset?>(
        UserTable.FindTombstoneSql,
        async (command, token) =>
        {
            command.Parameters.Add(new("id", id));
            await using var reader = await command.ExecuteReaderAsync(token);
            return await reader.ReadAsync(token) ? reader.GetFieldValue<DateTimeOffset>(0) : null;
        },
        cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<Guid, DateTimeOffset>> FindLastSeenAsync(IReadOnlyCollection<Guid> userIds, CancellationToken cancellationToken = default)
    {
        if (userIds.Count == 0) return new Dictionary<Guid, DateTimeOffset>();

        var ids = userIds.ToArray();
        return await database.ReadAsync(
            FindLastSeenSql,
            async (command, token) =>
            {
                command.Parameters.Add(new("ids", NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = ids });
                await using var reader = await command.ExecuteReaderAsync(token);
                var found = new Dictionary<Guid, DateTimeOffset>();
                while (await reader.ReadAsync(token)) found[reader.GetGuid(0)] = reader.GetFieldValue<DateTimeOffset>(1);
                return found;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<UserRow>> ListNewestAsync(int count, CancellationToken cancellationToken = default) =>
        ListAsync(UserTable.ListNewestSql, () => [new("count", count)], cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<(UserRow Row, bool IsMisplaced)>> ListAddressesAsync(Guid after, int count, CancellationToken cancellationToken = default) =>
        database.ReadAsync<IReadOnlyList<(UserRow, bool)>>(
            UserTable.ListAddressesSql,
            async (command, token) =>
            {
                command.Parameters.Add(new("after", after));
                command.Parameters.Add(new("count", count));
                await using var reader = await command.ExecuteReaderAsync(token);
                var rows = new List<(UserRow, bool)>();
                while (await reader.ReadAsync(token)) rows.Add((UserTable.Read(reader), reader.GetBoolean(reader.FieldCount - 1)));
                return rows;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<bool> IsUpgradedAsync(string name, CancellationToken cancellationToken = default) => database.ReadAsync(
        UserTable.IsUpgradedSql,
        async (command, token) =>
        {
            command.Parameters.Add(new("name", name));
            return await command.ExecuteScalarAsync(token) is not null;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task SetUpgradedAsync(string name, CancellationToken cancellationToken = default) => database.RunAsync(
        UserTable.SetUpgradedSql,
        (command, token) =>
        {
            command.Parameters.Add(new("name", name));
            return command.ExecuteNonQueryAsync(token);
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<(UserRow? Found, UserWrite Insert)> FindOrInsertAsync(UserRow user, CancellationToken cancellationToken = default) =>
        _inserter.FindOrInsertAsync(user, cancellationToken);

    /// <inheritdoc/>
    public async Task<UserWrite> InsertAsync(UserRow user, ExternalAccount? account, CancellationToken cancellationToken = default)
    {
        var outcome = await WriteAsync(
            account is null ? UserTable.InsertSql : InsertWithAccountSql,
            parameters =>
            {
                AddRow(parameters, user, unproven.MayBeNull);
                if (account is null) return;

                parameters.Add(new("accountId", Guid.CreateVersion7(user.CreatedAt)));
                parameters.Add(new("type", account.Type));
                parameters.Add(new("provider", account.Provider));
                parameters.Add(new("providerAccountId", account.ProviderAccountId));
                parameters.Add(new("accountEmail", NpgsqlDbType.Text) { Value = OrNull(account.Email) });
            },
            cancellationToken);

        return outcome == UserWrite.EmailTaken ? await _inserter.FindConflictAsync(user, cancellationToken) : outcome;
    }

    /// <inheritdoc/>
    public async Task<UserWrite> UpdateProfileAsync(UserRow user, MailboxMove? move = null, CancellationToken cancellationToken = default)
    {
        var outcome = await WriteAsync(
            move is null ? UserTable.UpdateProfileSql : UpdateAddressSql,
            parameters =>
            {
                AddProfile(parameters, user, unproven.MayBeNull);
                if (move is null) return;

                parameters.Add(new("former", move.Former));
                parameters.Add(new("confirmed", move.IsConfirmed));
                parameters.Add(new("session", NpgsqlDbType.Uuid) { Value = OrNull(move.SessionId) });
                parameters.Add(new("accountId", Guid.CreateVersion7()));
            },
            cancellationToken,
            countsRows: move is null);
        return outcome switch
        {
            UserWrite.EmailTaken => await _inserter.FindConflictAsync(user, cancellationToken),
            // The new mailbox signs in another user.
            UserWrite.AccountTaken => UserWrite.EmailTaken,
            _ => outcome,
        };
    }

    /// <inheritdoc/>
    public async Task<IReadOnlySet<Guid>> SaveLastSeenAsync(IReadOnlyCollection<LastSeen> seen, BatchLimits limits)
    {
        if (seen.Count == 0) return FrozenSet<Guid>.Empty;

        var ids = seen.Select(entry => entry.UserId).ToArray();
        var times = seen.Select(entry => entry.At.UtcDateTime).ToArray();
        return await database.RunBatchAsync(
            SaveLastSeenSql,
            limits,
            parameters =>
            {
                parameters.Add(new("ids", NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = ids });
                parameters.Add(new("times", NpgsqlDbType.Array | NpgsqlDbType.TimestampTz) { Value = times });
            },
            async (reader, token) =>
            {
                var skipped = new HashSet<Guid>();
                while (await reader.ReadAsync(token)) skipped.Add(reader.GetGuid(0));
                return (IReadOnlySet<Guid>)skipped;
            });
    }

    // Parameters are created again for a repeated statement, because a parameter belongs to one command permanently.
    private Task<IReadOnlyList<UserRow>> ListAsync(string sql, Func<NpgsqlParameter[]> parameters, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<UserRow>>(
            sql,
            async (command, token) =>
            {
                command.Parameters.AddRange(parameters());
                await using var reader = await command.ExecuteReaderAsync(token);
                var rows = new List<UserRow>();
                while (await reader.ReadAsync(token)) rows.Add(UserTable.Read(reader));
                return rows;
            },
            cancellationToken);

    /// <summary>
    /// Runs a write and maps a violated constraint to its reason. An update of zero rows is <see cref="UserWrite.Stale"/>.
    /// </summary>
    /// <param name="sql">The statement.</param>
    /// <param name="addParameters">Adds its parameters.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <param name="countsRows">Whether the number of written rows is the statement's own. Otherwise it is its result.</param>
    private async Task<UserWrite> WriteAsync(string sql, Action<NpgsqlParameterCollection> addParameters, CancellationToken cancellationToken, bool countsRows = true)
    {
        try
        {
            var written = await database.RunAsync(
                sql,
                async (command, token) =>
                {
                    addParameters(command.Parameters);
                    return countsRows ? await command.ExecuteNonQueryAsync(token) : (long)(await command.ExecuteScalarAsync(token))!;
                },
                cancellationToken);
            return written > 0 ? UserWrite.Saved : UserWrite.Stale;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return exception.ConstraintName switch
            {
                EmailConstraint => UserWrite.EmailTaken,
                AccountConstraint => UserWrite.AccountTaken,
                _ => UserWrite.Stale,
            };
        }
    }

    private static void AddRow(NpgsqlParameterCollection parameters, UserRow user, bool nullable)
    {
        AddProfile(parameters, user, nullable);
        parameters.Add(new("created", user.CreatedAt.ToUniversalTime()));
        parameters.Add(new("seen", NpgsqlDbType.TimestampTz) { Value = OrNull(user.LastSeenAt?.ToUniversalTime()) });
        parameters.Add(new("disabled", NpgsqlDbType.TimestampTz) { Value = OrNull(user.DisabledAt?.ToUniversalTime()) });
        parameters.Add(new("notBefore", NpgsqlDbType.TimestampTz) { Value = OrNull(user.TokensNotBefore?.ToUniversalTime()) });
    }

    private static void AddProfile(NpgsqlParameterCollection parameters, UserRow user, bool nullable)
    {
        parameters.Add(new("id", user.Id));
        parameters.Add(new("email", NpgsqlDbType.Text) { Value = OrNull(AddressColumns.Email(user, nullable)) });
        parameters.Add(new("verified", user.EmailVerified));
        parameters.Add(new("unproven", NpgsqlDbType.Text) { Value = OrNull(AddressColumns.Unproven(user)) });
        parameters.Add(new("name", user.Name));
        parameters.Add(new("nameEdited", NpgsqlDbType.Boolean) { Value = OrNull(user.NameEdited) });
        parameters.Add(new("avatarEdited", NpgsqlDbType.Boolean) { Value = OrNull(user.AvatarEdited) });
        parameters.Add(new("avatar", NpgsqlDbType.Text) { Value = OrNull(user.Avatar) });
        parameters.Add(new("version", user.Version));
    }

    private static object OrNull(object? value) => value ?? DBNull.Value;
}
