using System.Text.Json;
using Microsoft.Data.Sqlite;
using Pulse.Accounts;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Accounts;

/// <summary><c>accounts</c> in the embedded SQLite file. Writers are serialized, so several statements of one write are atomic.</summary>
internal sealed class SqliteAccountStore(SqliteDatabase database) : IAccountStore
{
    private const string OwnerSql =
        $"""
        SELECT id FROM users WHERE email = @email AND email_verified
            AND NOT EXISTS (SELECT 1 FROM accounts WHERE user_id = users.id AND provider = @provider)
            AND {AccountTable.NotDeclined}
        """;

    private const string CountSql =
        """
        SELECT count(*) FILTER (WHERE provider = @provider AND provider_account_id = @providerAccountId), count(*)
        FROM accounts WHERE user_id = @userId
        """;

    // json_each replaces array parameters, which SQLite lacks.
    private const string FindManySql =
        "SELECT provider_account_id, user_id FROM accounts WHERE provider = @provider AND provider_account_id IN (SELECT value FROM json_each(@ids))";

    private const string UnlinkSql =
        "DELETE FROM accounts WHERE user_id = @userId AND provider = @provider AND provider_account_id = @providerAccountId";

    /// <inheritdoc/>
    public Task<AccountOwner?> FindAsync(string provider, string providerAccountId, CancellationToken cancellationToken = default) =>
        database.ReadAsync(connection => Find(connection, provider, providerAccountId), cancellationToken);

    /// <inheritdoc/>
    public Task<ExternalAccount[]> ListAsync(Guid userId, CancellationToken cancellationToken = default) =>
        ListAsync(AccountTable.ListSql, userId, cancellationToken);

    /// <inheritdoc/>
    public Task<ExternalAccount[]> ListDeclinedAsync(Guid userId, CancellationToken cancellationToken = default) =>
        ListAsync(AccountTable.ListDeclinedSql, userId, cancellationToken);

    private Task<ExternalAccount[]> ListAsync(string sql, Guid userId, CancellationToken cancellationToken) => database.ReadAsync(
        connection =>
        {
            using var command = new SqliteCommand(sql, connection) { Parameters = { new("userId", SqliteText.From(userId)) } };
            using var reader = command.ExecuteReader();
            var accounts = new List<ExternalAccount>();
            while (reader.Read()) accounts.Add(AccountTable.Read(reader));
            return accounts.ToArray();
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<Guid> LinkAsync(ExternalAccount account, Guid userId, DateTimeOffset now, CancellationToken cancellationToken = default) =>
        database.WriteAsync(
            connection =>
            {
                using var accept = new SqliteCommand(AccountTable.AcceptSql, connection)
                {
                    Parameters = { new("userId", SqliteText.From(userId)), new("provider", account.Provider), new("providerAccountId", account.ProviderAccountId) },
                };
                accept.ExecuteNonQuery();
                return Link(connection, account, SqliteText.From(userId), now)
                    ? userId
                    : Find(connection, account.Provider, account.ProviderAccountId)!.UserId;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<Guid?> LinkByEmailAsync(ExternalAccount account, string email, DateTimeOffset now, CancellationToken cancellationToken = default) =>
        database.WriteAsync(
            connection =>
            {
                using var command = new SqliteCommand(OwnerSql, connection)
                {
                    Parameters = { new("email", email), new("provider", account.Provider), new("providerAccountId", account.ProviderAccountId) },
                };
                return command.ExecuteScalar() is string owner && Link(connection, account, owner, now) ? Guid.Parse(owner) : (Guid?)null;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<bool> IsProvenAsync(string email, CancellationToken cancellationToken = default) => database.ReadAsync(
        connection =>
        {
            using var command = new SqliteCommand(AccountTable.IsProvenSql, connection) { Parameters = { new("email", email) } };
            return command.ExecuteScalar() is not null;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task SaveEmailAsync(string provider, string providerAccountId, Guid userId, string email, CancellationToken cancellationToken = default) =>
        database.WriteAsync(
            connection =>
            {
                using var command = new SqliteCommand(AccountTable.SaveEmailSql, connection)
                {
                    Parameters =
                    {
                        new("provider", provider), new("providerAccountId", providerAccountId), new("userId", SqliteText.From(userId)), new("accountEmail", email),
                    },
                };
                return command.ExecuteNonQuery();
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<(string Mailbox, Guid UserId)>> ListMailboxesAsync(string after, int count, CancellationToken cancellationToken = default) =>
        database.ReadAsync<IReadOnlyList<(string, Guid)>>(
            connection =>
            {
                using var command = new SqliteCommand(AccountTable.ListMailboxesSql, connection) { Parameters = { new("after", after), new("count", count) } };
                using var reader = command.ExecuteReader();
                var rows = new List<(string, Guid)>();
                while (reader.Read()) rows.Add((reader.GetString(0), reader.GetGuid(1)));
                return rows;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<bool> RenameMailboxAsync(string mailbox, string spelling, CancellationToken cancellationToken = default) => database.WriteAsync(
        connection =>
        {
            using var command = new SqliteCommand(AccountTable.RenameMailboxSql, connection) { Parameters = { new("mailbox", mailbox), new("spelling", spelling) } };
            return command.ExecuteNonQuery() > 0;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyDictionary<string, Guid>> FindManyAsync(
        string provider, IReadOnlyCollection<string> providerAccountIds, CancellationToken cancellationToken = default) =>
        database.ReadAsync<IReadOnlyDictionary<string, Guid>>(
            connection =>
            {
                using var command = new SqliteCommand(FindManySql, connection)
                {
                    Parameters = { new("provider", provider), new("ids", JsonSerializer.Serialize(providerAccountIds)) },
                };
                using var reader = command.ExecuteReader();
                var found = new Dictionary<string, Guid>(StringComparer.Ordinal);
                while (reader.Read()) found[reader.GetString(0)] = reader.GetGuid(1);
                return found;
            },
            cancellationToken);

    /// <inheritdoc/>
    public Task<AccountLinkOutcome> UnlinkAsync(
        string provider, string providerAccountId, Guid userId, CancellationToken cancellationToken = default) => database.WriteAsync(
        connection =>
        {
            using var count = About(new(CountSql, connection));
            using var reader = count.ExecuteReader();
            reader.Read();
            var (matching, all) = (reader.GetInt64(0), reader.GetInt64(1));
            reader.Close();
            if (matching == 0 || all == 1) return AccountTable.Outcome(removed: 0, matching);

            using var unlink = About(new(UnlinkSql, connection));
            using var decline = About(new(AccountTable.DeclineSql, connection));
            decline.ExecuteNonQuery();
            return AccountTable.Outcome(unlink.ExecuteNonQuery(), matching);

            SqliteCommand About(SqliteCommand command)
            {
                command.Parameters.AddWithValue("provider", provider);
                command.Parameters.AddWithValue("providerAccountId", providerAccountId);
                command.Parameters.AddWithValue("userId", SqliteText.From(userId));
                return command;
            }
        },
        cancellationToken);

    private static bool Link(SqliteConnection connection, ExternalAccount account, string userId, DateTimeOffset now)
    {
        using var command = new SqliteCommand(AccountTable.LinkSql, connection)
        {
            Parameters =
            {
                new("accountId", SqliteText.From(Guid.CreateVersion7(now))),
                new("userId", userId),
                new("type", account.Type),
                new("provider", account.Provider),
                new("providerAccountId", account.ProviderAccountId),
                new("accountEmail", account.Email ?? (object)DBNull.Value),
            },
        };
        return command.ExecuteNonQuery() > 0;
    }

    private static AccountOwner? Find(SqliteConnection connection, string provider, string providerAccountId)
    {
        using var command = new SqliteCommand(AccountTable.FindUserSql, connection)
        {
            Parameters = { new("provider", provider), new("providerAccountId", providerAccountId) },
        };
        using var reader = command.ExecuteReader();
        return reader.Read() ? AccountTable.ReadOwner(reader) : null;
    }
}
