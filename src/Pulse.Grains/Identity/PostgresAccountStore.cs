using Npgsql;
using Pulse.Grains.Storage;
using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary><c>accounts</c> in PostgreSQL: one statement for each method, but for links that race.</summary>
internal sealed class PostgresAccountStore(PostgresDatabase database) : IAccountStore
{
    // FOR SHARE: the address cannot be given up, or lose its proof, between being read here and the link's commit.
    private const string LinkByEmailSql =
        """
        WITH owner AS (SELECT id FROM users WHERE email = @email AND email_verified FOR SHARE)
        INSERT INTO accounts (id, user_id, type, provider, provider_account_id)
        SELECT @accountId, id, @type, @provider, @providerAccountId FROM owner
        ON CONFLICT (provider, provider_account_id) DO NOTHING
        RETURNING user_id
        """;

    // Locks all of the user's accounts, in one order. The second of two such statements waits for the first, and then sees only the rows that are
    // left: a row that was deleted while one waited for it is passed over (READ COMMITTED).
    private const string UnlinkSql =
        """
        WITH mine AS MATERIALIZED (
            SELECT id, provider = @provider AND provider_account_id = @providerAccountId AS wanted
            FROM accounts WHERE user_id = @userId ORDER BY id FOR UPDATE
        ),
        gone AS (
            DELETE FROM accounts
            WHERE id IN (SELECT id FROM mine WHERE wanted) AND (SELECT count(*) FROM mine) > 1
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM mine WHERE wanted)
        """;

    /// <inheritdoc/>
    public Task<Guid?> FindUserAsync(string provider, string providerAccountId, CancellationToken cancellationToken = default) =>
        database.ReadAsync(
            AccountTable.FindUserSql,
            async (command, token) =>
            {
                command.Parameters.Add(new("provider", provider));
                command.Parameters.Add(new("providerAccountId", providerAccountId));
                return (Guid?)await command.ExecuteScalarAsync(token);
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<ExternalAccount[]> ListAsync(Guid userId, CancellationToken cancellationToken = default) => database.ReadAsync(
        AccountTable.ListSql,
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
        // Between the insert that met another's row and the look at whose it is, that one may unlink it; then there is another chance.
        while (true)
        {
            if (await ScalarAsync(
                    AccountTable.LinkSql + " RETURNING user_id",
                    [new("accountId", Guid.CreateVersion7(now)), new("userId", userId), .. Parameters(account)],
                    cancellationToken) is { } linked) return linked;
            if (await FindUserAsync(account.Provider, account.ProviderAccountId, cancellationToken) is { } owner) return owner;
        }
    }

    /// <inheritdoc/>
    public Task<Guid?> LinkByEmailAsync(ExternalAccount account, string email, DateTimeOffset now, CancellationToken cancellationToken = default) =>
        ScalarAsync(LinkByEmailSql, [new("accountId", Guid.CreateVersion7(now)), new("email", email), .. Parameters(account)], cancellationToken);

    /// <inheritdoc/>
    /// <remarks>Repeated after an answer that was lost, it says <see cref="AccountLinkOutcome.NotLinked"/>, which is true by then.</remarks>
    public Task<AccountLinkOutcome> UnlinkAsync(
        string provider, string providerAccountId, Guid userId, CancellationToken cancellationToken = default) => database.RunAsync(
        UnlinkSql,
        async (command, token) =>
        {
            command.Parameters.Add(new("provider", provider));
            command.Parameters.Add(new("providerAccountId", providerAccountId));
            command.Parameters.Add(new("userId", userId));
            await using var reader = await command.ExecuteReaderAsync(token);
            await reader.ReadAsync(token);
            return AccountTable.Outcome(reader.GetInt64(0), reader.GetInt64(1));
        },
        cancellationToken);

    // The parameters are made anew for a repeated statement: one belongs to one command for good.
    private Task<Guid?> ScalarAsync(string sql, NpgsqlParameter[] parameters, CancellationToken cancellationToken) => database.RunAsync(
        sql,
        async (command, token) =>
        {
            foreach (var parameter in parameters) command.Parameters.Add(parameter.Clone());
            return (Guid?)await command.ExecuteScalarAsync(token);
        },
        cancellationToken);

    private static NpgsqlParameter[] Parameters(ExternalAccount account) =>
        [new("type", account.Type), new("provider", account.Provider), new("providerAccountId", account.ProviderAccountId)];
}
