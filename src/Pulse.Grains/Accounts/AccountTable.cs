using System.Data.Common;
using Pulse.Accounts;

namespace Pulse.Grains.Accounts;

/// <summary>The statements of <c>accounts</c> that PostgreSQL and SQLite share.</summary>
internal static class AccountTable
{
    /// <summary>The begin of the <see cref="AccountKey"/> of a mailbox.</summary>
    public const string MailboxKey = "email\n";

    public const string FindUserSql =
        "SELECT user_id, email FROM accounts WHERE provider = @provider AND provider_account_id = @providerAccountId";

    // Ids of version 7 sort by their time.
    public const string ListSql = "SELECT provider, provider_account_id, type, id, email, created_at FROM accounts WHERE user_id = @userId ORDER BY created_at, id";

    /// <summary>The columns of <see cref="ListSql"/>.</summary>
    public const string ListDeclinedSql =
        """
        SELECT provider, provider_account_id, '', NULL, NULL, declined_at
        FROM declined_accounts WHERE user_id = @userId ORDER BY declined_at, provider, provider_account_id
        """;

    public const string LinkSql =
        """
        INSERT INTO accounts (id, user_id, type, provider, provider_account_id, email)
        VALUES (@accountId, @userId, @type, @provider, @providerAccountId, @accountEmail)
        ON CONFLICT (provider, provider_account_id) DO NOTHING
        """;

    /// <summary>For a statement on <c>users</c>. See 009_declined_accounts.sql.</summary>
    public const string NotDeclined =
        """
        NOT EXISTS (
            SELECT 1 FROM declined_accounts
            WHERE user_id = users.id
                AND ((provider = @provider AND provider_account_id = @providerAccountId) OR (provider = 'email' AND provider_account_id = @email)))
        """;

    public const string DeclineSql =
        """
        INSERT INTO declined_accounts (user_id, provider, provider_account_id) VALUES (@userId, @provider, @providerAccountId)
        ON CONFLICT DO NOTHING
        """;

    public const string AcceptSql =
        "DELETE FROM declined_accounts WHERE user_id = @userId AND provider = @provider AND provider_account_id = @providerAccountId";

    public const string SaveEmailSql =
        "UPDATE accounts SET email = @accountEmail WHERE provider = @provider AND provider_account_id = @providerAccountId AND user_id = @userId";

    public const string IsProvenSql = "SELECT 1 FROM users WHERE email = @email AND email_verified";

    public const string ListMailboxesSql =
        "SELECT provider_account_id, user_id FROM accounts WHERE provider = 'email' AND provider_account_id > @after ORDER BY provider_account_id LIMIT @count";

    /// <summary>The sessions follow, because a session whose account is missing has ended.</summary>
    public const string RenameMailboxSql =
        $"""
        UPDATE sessions SET account = '{MailboxKey}' || @spelling
        WHERE account = '{MailboxKey}' || @mailbox
            AND user_id = (SELECT user_id FROM accounts WHERE provider = 'email' AND provider_account_id = @mailbox)
            AND NOT EXISTS (SELECT 1 FROM accounts WHERE provider = 'email' AND provider_account_id = @spelling);
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
        LinkId = reader.IsDBNull(3) ? null : reader.GetGuid(3),
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
