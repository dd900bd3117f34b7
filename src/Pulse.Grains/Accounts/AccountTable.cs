using System.Data.Common;
using Pulse.Accounts;

namespace Pulse.Grains.Accounts;

/// <summary>The statements of <c>accounts</c> that PostgreSQL and SQLite share.</summary>
internal static class AccountTable
{
    public const string FindUserSql =
        "SELECT user_id, email FROM accounts WHERE provider = @provider AND provider_account_id = @providerAccountId";

    // Ids of version 7 sort by their time.
    public const string ListSql = "SELECT provider, provider_account_id, type, id, email, created_at FROM accounts WHERE user_id = @userId ORDER BY created_at, id";

    public const string LinkSql =
        """
        INSERT INTO accounts (id, user_id, type, provider, provider_account_id, email)
        VALUES (@accountId, @userId, @type, @provider, @providerAccountId, @accountEmail)
        ON CONFLICT (provider, provider_account_id) DO NOTHING
        """;

    public const string SaveEmailSql =
        "UPDATE accounts SET email = @accountEmail WHERE provider = @provider AND provider_account_id = @providerAccountId AND user_id = @userId";

    public const string IsProvenSql = "SELECT 1 FROM users WHERE email = @email AND email_verified";

    public const string ListMailboxesSql =
        "SELECT provider_account_id, user_id FROM accounts WHERE provider = 'email' AND provider_account_id > @after ORDER BY provider_account_id LIMIT @count";

    public const string RenameMailboxSql =
        """
        UPDATE accounts SET provider_account_id = @spelling
        WHERE provider = 'email' AND provider_account_id = @mailbox
            AND NOT EXISTS (SELECT 1 FROM accounts WHERE provider = 'email' AND provider_account_id = @spelling)
        """;

    /// <summary>A row of <see cref="ListSql"/>. Both drivers convert ids and times from their stored form.</summary>
    public static ExternalAccount Read(DbDataReader reader) => new()
    {
        Provider = reader.GetString(0),
        ProviderAccountId = reader.GetString(1),
        Type = reader.GetString(2),
        LinkId = reader.GetGuid(3),
        Email = reader.IsDBNull(4) ? null : reader.GetString(4),
        LinkedAt = reader.GetFieldValue<DateTimeOffset>(5),
    };

    /// <summary>A row of <see cref="FindUserSql"/>.</summary>
    public static AccountOwner ReadOwner(DbDataReader reader) => new(reader.GetGuid(0), reader.IsDBNull(1) ? null : reader.GetString(1));

    /// <summary>Outcome of an unlink.</summary>
    /// <param name="removed">Number of deleted rows.</param>
    /// <param name="matching">Number of the user's accounts that matched.</param>
    public static AccountLinkOutcome Outcome(long removed, long matching) =>
        removed > 0 ? AccountLinkOutcome.Unlinked : matching > 0 ? AccountLinkOutcome.LastWayIn : AccountLinkOutcome.NotLinked;
}
