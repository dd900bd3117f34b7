using Microsoft.Data.Sqlite;
using Pulse.Grains.Storage;
using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary><c>accounts</c> in the embedded SQLite file. Writers take turns, so several statements of one write are one step.</summary>
internal sealed class SqliteAccountStore(SqliteDatabase database) : IAccountStore
{
    private const string OwnerSql = "SELECT id FROM users WHERE email = @email AND email_verified";

    private const string CountSql =
        """
        SELECT count(*) FILTER (WHERE provider = @provider AND provider_account_id = @providerAccountId), count(*)
        FROM accounts WHERE user_id = @userId
        """;

    private const string UnlinkSql =
        "DELETE FROM accounts WHERE user_id = @userId AND provider = @provider AND provider_account_id = @providerAccountId";

    /// <inheritdoc/>
    public Task<Guid?> FindUserAsync(string provider, string providerAccountId, CancellationToken cancellationToken = default) =>
        database.ReadAsync(connection => FindUser(connection, provider, providerAccountId), cancellationToken);

    /// <inheritdoc/>
    public Task<ExternalAccount[]> ListAsync(Guid userId, CancellationToken cancellationToken = default) => database.ReadAsync(
        connection =>
        {
            using var command = new SqliteCommand(AccountTable.ListSql, connection) { Parameters = { new("userId", SqliteText.From(userId)) } };
            using var reader = command.ExecuteReader();
            var accounts = new List<ExternalAccount>();
            while (reader.Read()) accounts.Add(AccountTable.Read(reader));
            return accounts.ToArray();
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<Guid> LinkAsync(ExternalAccount account, Guid userId, DateTimeOffset now, CancellationToken cancellationToken = default) =>
        database.WriteAsync(
            connection => Link(connection, account, SqliteText.From(userId), now)
                ? userId
                : FindUser(connection, account.Provider, account.ProviderAccountId)!.Value,
            cancellationToken);

    /// <inheritdoc/>
    public Task<Guid?> LinkByEmailAsync(ExternalAccount account, string email, DateTimeOffset now, CancellationToken cancellationToken = default) =>
        database.WriteAsync(
            connection =>
            {
                using var command = new SqliteCommand(OwnerSql, connection) { Parameters = { new("email", email) } };
                return command.ExecuteScalar() is string owner && Link(connection, account, owner, now) ? Guid.Parse(owner) : (Guid?)null;
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
            },
        };
        return command.ExecuteNonQuery() > 0;
    }

    private static Guid? FindUser(SqliteConnection connection, string provider, string providerAccountId)
    {
        using var command = new SqliteCommand(AccountTable.FindUserSql, connection)
        {
            Parameters = { new("provider", provider), new("providerAccountId", providerAccountId) },
        };
        return command.ExecuteScalar() is string userId ? Guid.Parse(userId) : null;
    }
}
