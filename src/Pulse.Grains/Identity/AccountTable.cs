namespace Pulse.Grains.Identity;

/// <summary>What PostgreSQL and SQLite agree on about <c>accounts</c>.</summary>
internal static class AccountTable
{
    public const string FindUserSql =
        "SELECT user_id FROM accounts WHERE provider = @provider AND provider_account_id = @providerAccountId";
}
