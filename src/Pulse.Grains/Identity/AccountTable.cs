using System.Data.Common;
using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary>What PostgreSQL and SQLite agree on about <c>accounts</c>.</summary>
internal static class AccountTable
{
    public const string FindUserSql =
        "SELECT user_id FROM accounts WHERE provider = @provider AND provider_account_id = @providerAccountId";

    // Ids of version 7 order as their times do.
    public const string ListSql = "SELECT provider, provider_account_id, type FROM accounts WHERE user_id = @userId ORDER BY created_at, id";

    public const string LinkSql =
        """
        INSERT INTO accounts (id, user_id, type, provider, provider_account_id)
        VALUES (@accountId, @userId, @type, @provider, @providerAccountId)
        ON CONFLICT (provider, provider_account_id) DO NOTHING
        """;

    /// <summary>A row of <see cref="ListSql"/>.</summary>
    public static ExternalAccount Read(DbDataReader reader) =>
        new() { Provider = reader.GetString(0), ProviderAccountId = reader.GetString(1), Type = reader.GetString(2) };

    /// <summary>What an unlinking came to.</summary>
    /// <param name="removed">How many rows were deleted.</param>
    /// <param name="matching">How many of the user's accounts it was about.</param>
    public static AccountLinkOutcome Outcome(long removed, long matching) =>
        removed > 0 ? AccountLinkOutcome.Unlinked : matching > 0 ? AccountLinkOutcome.LastWayIn : AccountLinkOutcome.NotLinked;
}
