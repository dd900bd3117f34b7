using System.Collections.Frozen;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Pulse.Accounts;
using Pulse.Grains.Accounts;
using Pulse.Grains.Presence;
using Pulse.Grains.Storage;
using SQLitePCL;

namespace Pulse.Grains.Users;

/// <summary><c>users</c> in the embedded SQLite file.</summary>
internal sealed class SqliteUserStore(SqliteDatabase database) : IUserStore
{
    // Always returns one row.
    private const string FindSql =
        $"""
        SELECT {UserTable.Columns}, (SELECT erased_at FROM tombstones WHERE tombstones.id = asked.asked_id)
        FROM (SELECT @id AS asked_id) AS asked LEFT JOIN users ON users.id = asked.asked_id
        """;

    private const string InsertAccountSql =
        """
        INSERT INTO accounts (id, user_id, type, provider, provider_account_id, email)
        VALUES (@accountId, @userId, @type, @provider, @providerAccountId, @accountEmail)
        """;

    private const string FindLastSeenSql =
        "SELECT id, last_seen FROM users WHERE id IN (SELECT value FROM json_each(@ids)) AND last_seen IS NOT NULL";

    // The parameter is one JSON array of [id, time] pairs, because SQLite lacks array parameters and limits a statement to 32,766 parameters.
    private const string SaveLastSeenSql =
        """
        WITH seen AS (SELECT value ->> 0 AS id, value ->> 1 AS at FROM json_each(@seen))
        UPDATE users SET last_seen = seen.at FROM seen
        WHERE users.id = seen.id AND (users.last_seen IS NULL OR users.last_seen < seen.at)
        """;

    // The statements of one command are one transaction.
    private const string EraseSql =
        """
        DELETE FROM verification_tokens WHERE identifier IN (SELECT value FROM json_each(@mailboxes));
        DELETE FROM users WHERE id = @id;
        INSERT INTO tombstones (id, erased_at) SELECT value, @at FROM json_each(@ids) WHERE true
        ON CONFLICT (id) DO UPDATE SET erased_at = max(tombstones.erased_at, excluded.erased_at);
        """;

    // As in PostgresUserStore. Writers are serialized, so each statement sees the ones before it.
    private const string MoveMailboxSql =
        $"""
        UPDATE accounts SET provider_account_id = @email, email = @email
        WHERE user_id = @id AND provider = 'email' AND provider_account_id = @former
            AND NOT EXISTS (SELECT 1 FROM accounts WHERE user_id = @id AND provider = 'email' AND provider_account_id = @email)
            AND (@confirmed OR (SELECT count(*) FROM accounts WHERE user_id = @id) = 1);
        DELETE FROM accounts WHERE user_id = @id AND provider = 'email' AND provider_account_id = @former;
        INSERT INTO accounts (id, user_id, type, provider, provider_account_id, email)
        SELECT @accountId, @id, 'email', 'email', @email, @email
        WHERE @confirmed AND NOT EXISTS (SELECT 1 FROM accounts WHERE user_id = @id AND provider = 'email' AND provider_account_id = @email);
        DELETE FROM declined_accounts WHERE user_id = @id AND provider = 'email' AND provider_account_id = @email AND @confirmed;
        UPDATE sessions SET account = '{AccountTable.MailboxKey}' || @email
        WHERE id = @session AND user_id = @id AND account = '{AccountTable.MailboxKey}' || @former;
        """;

    /// <inheritdoc/>
    public Task WarmUpAsync(CancellationToken cancellationToken = default) => FindWithTombstoneAsync(Guid.Empty, cancellationToken);

    /// <inheritdoc/>
    public Task<(UserRow? Row, DateTimeOffset? ErasedAt)> FindWithTombstoneAsync(Guid userId, CancellationToken cancellationToken = default) => database.ReadAsync(
        connection =>
        {
            using var command = new SqliteCommand(FindSql, connection) { Parameters = { new("id", SqliteText.From(userId)) } };
            using var reader = command.ExecuteReader();
            reader.Read();
            return UserTable.ReadFound(reader, reader.FieldCount - 1);
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<UserRow>> ListAfterAsync(Guid after, int count, CancellationToken cancellationToken = default) =>
        ListAsync(UserTable.ListAfterSql, [new("after", SqliteText.From(after)), new("count", count)], cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<UserRow>> FindByEmailAsync(string email, int count, CancellationToken cancellationToken = default) =>
        ListAsync(UserTable.FindByEmailSql, [new("email", email), new("count", count)], cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> SetDisabledAsync(Guid userId, DateTimeOffset? disabledAt, CancellationToken cancellationToken = default) =>
        await database.WriteAsync(
            connection =>
            {
                using var command = new SqliteCommand(disabledAt is null ? UserTable.EnableSql : UserTable.DisableSql, connection);
                command.Parameters.AddWithValue("id", SqliteText.From(userId));
                if (disabledAt is { } at) command.Parameters.AddWithValue("at", SqliteText.From(at));
                return command.ExecuteNonQuery();
            },
            cancellationToken) > 0;

    /// <inheritdoc/>
    public Task EraseAsync(Guid userId, Guid[] accounts, string[] mailboxes, DateTimeOffset at, CancellationToken cancellationToken = default) => database.WriteAsync(
        connection =>
        {
            using var command = new SqliteCommand(EraseSql, connection)
            {
                Parameters =
                {
                    new("id", SqliteText.From(userId)),
                    new("ids", JsonSerializer.Serialize(accounts.Append(userId).Select(SqliteText.From))),
                    new("mailboxes", JsonSerializer.Serialize(mailboxes)),
                    new("at", SqliteText.From(at)),
                },
            };
            return command.ExecuteNonQuery();
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<DateTimeOffset?> FindTombstoneAsync(Guid id, CancellationToken cancellationToken = default) => database.ReadAsync<DateTimeOffset?>(
        connection =>
        {
            using var command = new SqliteCommand(UserTable.FindTombstoneSql, connection) { Parameters = { new("id", SqliteText.From(id)) } };
            using var reader = command.ExecuteReader();
            return reader.Read() ? reader.GetFieldValue<DateTimeOffset>(0) : null;
        },
        cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyDictionary<Guid, DateTimeOffset>> FindLastSeenAsync(IReadOnlyCollection<Guid> userIds, CancellationToken cancellationToken = default)
    {
        var found = new Dictionary<Guid, DateTimeOffset>();
        if (userIds.Count == 0) return found;

        var ids = JsonSerializer.Serialize(userIds.Select(SqliteText.From));
        return await database.ReadAsync(
            connection =>
            {
                using var command = new SqliteCommand(FindLastSeenSql, connection) { Parameters = { new("ids", ids) } };
                using var reader = command.ExecuteReader();
                while (reader.Read()) found[reader.GetGuid(0)] = reader.GetFieldValue<DateTimeOffset>(1);
                return found;
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<UserRow>> ListNewestAsync(int count, CancellationToken cancellationToken = default) =>
        ListAsync(UserTable.ListNewestSql, [new("count", count)], cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<(UserRow Row, bool IsMisplaced)>> ListAddressesAsync(Guid after, int count, CancellationToken cancellationToken = default) =>
        database.ReadAsync<IReadOnlyList<(UserRow, bool)>>(
            connection =>
            {
                using var command = new SqliteCommand(UserTable.ListAddressesSql, connection)
                {
                    Parameters = { new("after", SqliteText.From(after)), new("count", count) },
                };
                using var reader = command.ExecuteReader();
                var rows = new List<(UserRow, bool)>();
                while (reader.Read()) rows.Add((UserTable.Read(reader), reader.GetBoolean(reader.FieldCount - 1)));
                return rows;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<bool> IsUpgradedAsync(string name, CancellationToken cancellationToken = default) => database.ReadAsync(
        connection =>
        {
            using var command = new SqliteCommand(UserTable.IsUpgradedSql, connection) { Parameters = { new("name", name) } };
            return command.ExecuteScalar() is not null;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task SetUpgradedAsync(string name, CancellationToken cancellationToken = default) => database.WriteAsync(
        connection =>
        {
            using var command = new SqliteCommand(UserTable.SetUpgradedSql, connection) { Parameters = { new("name", name) } };
            return command.ExecuteNonQuery();
        },
        cancellationToken);

    /// <inheritdoc/>
    public async Task<(UserRow? Found, UserWrite Insert)> FindOrInsertAsync(UserRow user, CancellationToken cancellationToken = default) =>
        (await FindWithTombstoneAsync(user.Id, cancellationToken)).Row is { } found ? (found, UserWrite.Stale) : (null, await InsertAsync(user, account: null, cancellationToken));

    /// <inheritdoc/>
    public async Task<UserWrite> InsertAsync(UserRow user, ExternalAccount? account, CancellationToken cancellationToken = default)
    {
        var linking = false;
        try
        {
            var inserted = await database.WriteAsync(
                connection =>
                {
                    if (InsertUser(user, connection) == 0) return 0;
                    if (account is null) return 1;

                    linking = true;
                    return InsertAccount(user, account, connection);
                },
                cancellationToken);
            return inserted > 0 ? UserWrite.Saved : UserWrite.Stale;
        }
        catch (SqliteException exception)
        {
            if (linking) return UserWrite.AccountTaken;
            if (exception.SqliteExtendedErrorCode == raw.SQLITE_CONSTRAINT_PRIMARYKEY) return UserWrite.Stale;
        }

        return await FindConflictAsync(user, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task<UserWrite> UpdateProfileAsync(UserRow user, MailboxMove? move = null, CancellationToken cancellationToken = default)
    {
        var moving = false;
        try
        {
            var written = await database.WriteAsync(
                connection =>
                {
                    using var command = new SqliteCommand(UserTable.UpdateProfileSql, connection);
                    AddProfile(command.Parameters, user);
                    var updated = command.ExecuteNonQuery();
                    if (updated == 0 || move is null) return updated;

                    moving = true;
                    MoveMailbox(user, move, connection);
                    return updated;
                },
                cancellationToken);
            return written > 0 ? UserWrite.Saved : UserWrite.Stale;
        }
        catch (SqliteException)
        {
            // The new mailbox signs in another user.
            if (moving) return UserWrite.EmailTaken;

            return await FindConflictAsync(user, cancellationToken);
        }
    }

    /// <inheritdoc/>
    /// <remarks>Returns an empty set, because the file has one lock instead of one per row.</remarks>
    public async Task<IReadOnlySet<Guid>> SaveLastSeenAsync(IReadOnlyCollection<LastSeen> seen, BatchLimits limits)
    {
        if (seen.Count == 0) return FrozenSet<Guid>.Empty;

        var pairs = JsonSerializer.Serialize(seen.Select(entry => new[] { SqliteText.From(entry.UserId), SqliteText.From(entry.At) }));
        await database.WriteAsync(
            connection =>
            {
                using var command = new SqliteCommand(SaveLastSeenSql, connection) { Parameters = { new("seen", pairs) } };
                return command.ExecuteNonQuery();
            },
            CancellationToken.None);
        return FrozenSet<Guid>.Empty;
    }

    private Task<IReadOnlyList<UserRow>> ListAsync(string sql, SqliteParameter[] parameters, CancellationToken cancellationToken) =>
        database.ReadAsync<IReadOnlyList<UserRow>>(
            connection =>
            {
                using var command = new SqliteCommand(sql, connection);
                command.Parameters.AddRange(parameters);
                using var reader = command.ExecuteReader();
                var rows = new List<UserRow>();
                while (reader.Read()) rows.Add(UserTable.Read(reader));
                return rows;
            },
            cancellationToken);

    private static int InsertUser(UserRow user, SqliteConnection connection)
    {
        using var command = new SqliteCommand(UserTable.InsertSql, connection);
        AddProfile(command.Parameters, user);
        command.Parameters.AddWithValue("created", SqliteText.From(user.CreatedAt));
        command.Parameters.AddWithValue("seen", SqliteText.From(user.LastSeenAt));
        command.Parameters.AddWithValue("disabled", SqliteText.From(user.DisabledAt));
        command.Parameters.AddWithValue("notBefore", SqliteText.From(user.TokensNotBefore));
        return command.ExecuteNonQuery();
    }

    private static int InsertAccount(UserRow user, ExternalAccount account, SqliteConnection connection)
    {
        using var command = new SqliteCommand(InsertAccountSql, connection)
        {
            Parameters =
            {
                new("accountId", SqliteText.From(Guid.CreateVersion7(user.CreatedAt))),
                new("userId", SqliteText.From(user.Id)),
                new("type", account.Type),
                new("provider", account.Provider),
                new("providerAccountId", account.ProviderAccountId),
                new("accountEmail", account.Email ?? (object)DBNull.Value),
            },
        };
        return command.ExecuteNonQuery();
    }

    private static void MoveMailbox(UserRow user, MailboxMove move, SqliteConnection connection)
    {
        using var command = new SqliteCommand(MoveMailboxSql, connection)
        {
            Parameters =
            {
                new("id", SqliteText.From(user.Id)),
                new("email", user.Email),
                new("former", move.Former),
                new("confirmed", move.IsConfirmed),
                new("session", move.SessionId is { } session ? SqliteText.From(session) : DBNull.Value),
                new("accountId", SqliteText.From(Guid.CreateVersion7())),
            },
        };
        command.ExecuteNonQuery();
    }

    // Same rules as PostgresUserInserter.FindConflictAsync.
    private Task<UserWrite> FindConflictAsync(UserRow user, CancellationToken cancellationToken) => database.WriteAsync(
        connection =>
        {
            using var find = new SqliteCommand(UserTable.OwnerSql, connection) { Parameters = { new("email", user.Email) } };
            using var reader = find.ExecuteReader();
            if (!reader.Read() || reader.GetGuid(0) == user.Id || !user.EmailVerified) return UserWrite.Stale;
            if (reader.GetBoolean(1)) return UserWrite.EmailTaken;

            reader.Close();
            using var takeOver = new SqliteCommand(UserTable.TakeOverSql, connection)
            {
                Parameters = { new("email", user.Email), new("id", SqliteText.From(user.Id)), new("nullable", true) },
            };
            takeOver.ExecuteNonQuery();
            return UserWrite.Stale;
        },
        cancellationToken);

    private static void AddProfile(SqliteParameterCollection parameters, UserRow user)
    {
        parameters.AddWithValue("id", SqliteText.From(user.Id));
        // Only one process has the file open, so an older version cannot read it.
        parameters.AddWithValue("email", AddressColumns.Email(user, nullable: true) ?? (object)DBNull.Value);
        parameters.AddWithValue("unproven", AddressColumns.Unproven(user) ?? (object)DBNull.Value);
        parameters.AddWithValue("verified", user.EmailVerified);
        parameters.AddWithValue("name", user.Name);
        parameters.AddWithValue("nameEdited", user.NameEdited ?? (object)DBNull.Value);
        parameters.AddWithValue("avatarEdited", user.AvatarEdited ?? (object)DBNull.Value);
        parameters.AddWithValue("avatar", user.Avatar ?? (object)DBNull.Value);
        parameters.AddWithValue("version", user.Version);
    }
}
