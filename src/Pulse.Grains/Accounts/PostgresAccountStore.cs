using Npgsql;
using Pulse.Accounts;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Accounts;

/// <summary><c>accounts</c> in PostgreSQL. A method takes one statement, except for links that race.</summary>
internal sealed class PostgresAccountStore(PostgresDatabase database) : IAccountStore
{
    // Two statements of one transaction (a batch without BEGIN is one). The second statement sees the rows that were committed while the
    // first waited for the lock, so of two simultaneous accounts of one provider only one joins. The lock also prevents the user from
    // giving up the address before the link is committed.
    private const string LinkByEmailSql =
        $"""
        SELECT id FROM users WHERE email = @email AND email_verified FOR NO KEY UPDATE;
        INSERT INTO accounts (id, user_id, type, provider, provider_account_id, email)
        SELECT @accountId, id, @type, @provider, @providerAccountId, @accountEmail FROM users
        WHERE email = @email AND email_verified AND NOT EXISTS (SELECT 1 FROM accounts WHERE user_id = users.id AND provider = @provider)
            AND {AccountTable.NotDeclined}
        ON CONFLICT (provider, provider_account_id) DO NOTHING
        RETURNING user_id
        """;

    // Locks the user first, as a change of the address does, and then all of the user's accounts in one order. The second of two such
    // statements waits for the first, and then sees only the remaining rows, because READ COMMITTED skips a row that was deleted during the
    // wait.
    private const string UnlinkSql =
        """
        SELECT id FROM users WHERE id = @userId FOR KEY SHARE;
        WITH mine AS MATERIALIZED (
            SELECT id, provider = @provider AND provider_account_id = @providerAccountId AS wanted
            FROM accounts WHERE user_id = @userId ORDER BY id FOR UPDATE
        ),
        gone AS (
            DELETE FROM accounts
            WHERE id IN (SELECT id FROM mine WHERE wanted) AND (SELECT count(*) FROM mine) > 1
            RETURNING 1
        ),
        declined AS (
            INSERT INTO declined_accounts (user_id, provider, provider_account_id) SELECT @userId, @provider, @providerAccountId FROM gone
            ON CONFLICT DO NOTHING
        )
        SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM mine WHERE wanted)
        """;

    /// <inheritdoc/>
    public Task<AccountOwner?> FindAsync(string provider, string providerAccountId, CancellationToken cancellationToken = default) =>
        database.ReadAsync(
            AccountTable.FindUserSql,
            async (command, token) =>
            {
                command.Parameters.Add(new("provider", provider));
                command.Parameters.Add(new("providerAccountId", providerAccountId));
                await using var reader = await command.ExecuteReaderAsync(token);
                return await reader.ReadAsync(token) ? AccountTable.ReadOwner(reader) : null;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<ExternalAccount[]> ListAsync(Guid userId, CancellationToken cancellationToken = default) =>
        ListAsync(AccountTable.ListSql, userId, cancellationToken);

    /// <inheritdoc/>
    public Task<ExternalAccount[]> ListDeclinedAsync(Guid userId, CancellationToken cancellationToken = default) =>
        ListAsync(AccountTable.ListDeclinedSql, userId, cancellationToken);

    private Task<ExternalAccount[]> ListAsync(string sql, Guid userId, CancellationToken cancellationToken) => database.ReadAsync(
        sql,
        async (command, token) =>
        {
            command.Parameters.Add(new("userId", userId));
            await using var reader = await command.ExecuteReaderAsync(token);
            var accounts = new List<ExternalAccount>();
            while (await reader.ReadAsync(token)) accounts.Add(AccountTable.Read(reader));
            return accounts.ToArray();
        },
        cancellationToken);

    /// <inheritdoc/>
    public async Task<Guid> LinkAsync(ExternalAccount account, Guid userId, DateTimeOffset now, CancellationToken cancellationToken = default)
    {
        // The other user may unlink the account between the conflicting insert and the read of the owner. The loop then tries again.
        while (true)
        {
            if (await ScalarAsync(
                    $"WITH accepted AS ({AccountTable.AcceptSql}) {AccountTable.LinkSql} RETURNING user_id",
                    [new("accountId", Guid.CreateVersion7(now)), new("userId", userId), .. Parameters(account)],
                    cancellationToken) is { } linked) return linked;
            if (await FindAsync(account.Provider, account.ProviderAccountId, cancellationToken) is { } owner) return owner.UserId;
        }
    }

    /// <inheritdoc/>
    public Task<Guid?> LinkByEmailAsync(ExternalAccount account, string email, DateTimeOffset now, CancellationToken cancellationToken = default) =>
        database.RunAsync(
            LinkByEmailSql,
            async (command, token) =>
            {
                command.Parameters.AddRange((NpgsqlParameter[])[new("accountId", Guid.CreateVersion7(now)), new("email", email), .. Parameters(account)]);
                await using var reader = await command.ExecuteReaderAsync(token);
                await reader.NextResultAsync(token);
                return await reader.ReadAsync(token) ? reader.GetGuid(0) : (Guid?)null;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task SaveEmailAsync(string provider, string providerAccountId, Guid userId, string email, CancellationToken cancellationToken = default) =>
        database.RunAsync(
            AccountTable.SaveEmailSql,
            (command, token) =>
            {
                command.Parameters.AddRange((NpgsqlParameter[])
                    [new("provider", provider), new("providerAccountId", providerAccountId), new("userId", userId), new("accountEmail", email)]);
                return command.ExecuteNonQueryAsync(token);
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<bool> IsProvenAsync(string email, CancellationToken cancellationToken = default) => database.ReadAsync(
        AccountTable.IsProvenSql,
        async (command, token) =>
        {
            command.Parameters.Add(new("email", email));
            return await command.ExecuteScalarAsync(token) is not null;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<(string Mailbox, Guid UserId)>> ListMailboxesAsync(string after, int count, CancellationToken cancellationToken = default) =>
        database.ReadAsync<IReadOnlyList<(string, Guid)>>(
            AccountTable.ListMailboxesSql,
            async (command, token) =>
            {
                command.Parameters.AddRange((NpgsqlParameter[])[new("after", after), new("count", count)]);
                await using var reader = await command.ExecuteReaderAsync(token);
                var rows = new List<(string, Guid)>();
                while (await reader.ReadAsync(token)) rows.Add((reader.GetString(0), reader.GetGuid(1)));
                return rows;
            },
            cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> RenameMailboxAsync(string mailbox, string spelling, CancellationToken cancellationToken = default)
    {
        try
        {
            return await database.RunAsync(
                AccountTable.RenameMailboxSql,
                (command, token) =>
                {
                    command.Parameters.AddRange((NpgsqlParameter[])[new("mailbox", mailbox), new("spelling", spelling)]);
                    return command.ExecuteNonQueryAsync(token);
                },
                cancellationToken) > 0;
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return false;
        }
    }

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<string, Guid>> FindManyAsync(
        string provider, IReadOnlyCollection<string> providerAccountIds, CancellationToken cancellationToken = default) =>
        database.ReadAsync<IReadOnlyDictionary<string, Guid>>(
            "SELECT provider_account_id, user_id FROM accounts WHERE provider = @provider AND provider_account_id = ANY(@ids)",
            async (command, token) =>
            {
                command.Parameters.AddRange((NpgsqlParameter[])[new("provider", provider), new("ids", providerAccountIds.ToArray())]);
                await using var reader = await command.ExecuteReaderAsync(token);
                var found = new Dictionary<string, Guid>(StringComparer.Ordinal);
                while (await reader.ReadAsync(token)) found[reader.GetString(0)] = reader.GetGuid(1);
                return found;
            },
            cancellationToken);

    /// <inheritdoc/>
    /// <remarks>
    /// If it is repeated after a lost answer, it returns <see cref="AccountLinkOutcome.NotLinked"/>, which is true by then.
    /// </remarks>
    public Task<AccountLinkOutcome> UnlinkAsync(
        string provider, string providerAccountId, Guid userId, CancellationToken cancellationToken = default) => database.RunAsync(
        UnlinkSql,
        async (command, token) =>
        {
            command.Parameters.Add(new("provider", provider));
            command.Parameters.Add(new("providerAccountId", providerAccountId));
            command.Parameters.Add(new("userId", userId));
            await using var reader = await command.ExecuteReaderAsync(token);
            await reader.NextResultAsync(token);
            await reader.ReadAsync(token);
            return AccountTable.Outcome(reader.GetInt64(0), reader.GetInt64(1));
        },
        cancellationToken);

    // Parameters are created again for a repeated statement, because a parameter belongs to one command permanently.
    private Task<Guid?> ScalarAsync(string sql, NpgsqlParameter[] parameters, CancellationToken cancellationToken) => database.RunAsync(
        sql,
        async (command, token) =>
        {
            foreach (var parameter in parameters) command.Parameters.Add(parameter.Clone());
            return (Guid?)await command.ExecuteScalarAsync(token);
        },
        cancellationToken);

    private static NpgsqlParameter[] Parameters(ExternalAccount account) =>
    [
        new("type", account.Type),
        new("provider", account.Provider),
        new("providerAccountId", account.ProviderAccountId),
        new("accountEmail", NpgsqlTypes.NpgsqlDbType.Text) { Value = account.Email ?? (object)DBNull.Value },
    ];
}
