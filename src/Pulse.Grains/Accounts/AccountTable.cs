using System.Data.Common;
using Pulse.Accounts;

namespace Pulse.Grains.Accounts;

/// <summary>What PostgreSQL and SQLite agree on about <c>accounts</c>.</summary>
internal static class AccountTable
{
    public const string FindUserSql =
        "SELECT user_id, email FROM accounts WHERE provider = @provider AND provider_account_id = @providerAccountId";

    // Ids of version 7 order as their times do.
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

    /// <summary>A row of <see cref="ListSql"/>; both drivers read ids and times from what they store.</summary>
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

    /// <summary>What an unlinking came to.</summary>
    /// <param name="removed">How many rows were deleted.</param>
    /// <param name="matching">How many of the user's accounts it was about.</param>
    public static AccountLinkOutcome Outcome(long removed, long matching) =>
        removed > 0 ? AccountLinkOutcome.Unlinked : matching > 0 ? AccountLinkOutcome.LastWayIn : AccountLinkOutcome.NotLinked;
}
