using System.Data.Common;

namespace Pulse.Grains.Identity;

/// <summary>The statements of <c>sessions</c> that PostgreSQL and SQLite share.</summary>
internal static class SessionTable
{
    // sessions.account has the format of AccountKey.
    private const string AccountExists =
        "EXISTS (SELECT 1 FROM accounts WHERE accounts.user_id = @user AND accounts.provider || '\n' || accounts.provider_account_id = ";

    /// <summary>The result is empty for a disabled user.</summary>
    public const string ListSql =
        $"""
        SELECT id, user_id, session_token, created_at, last_used_at, expires, device, address, account,
            account IS NOT NULL AND NOT {AccountExists}sessions.account)
        FROM sessions
        WHERE user_id = @user AND NOT EXISTS (SELECT 1 FROM users WHERE id = @user AND disabled_at IS NOT NULL)
        """;

    /// <summary>
    /// Inserts a row only if the user exists and is enabled, and the account, if any, is the user's. A repeated insert finds its own row and
    /// counts it again.
    /// </summary>
    public const string InsertSql =
        $"""
        INSERT INTO sessions (id, user_id, session_token, created_at, last_used_at, expires, device, address, account)
        SELECT @id, @user, @token, @created, @used, @expires, @device, @address, @account
        WHERE EXISTS (SELECT 1 FROM users WHERE id = @user AND disabled_at IS NULL) AND (@account IS NULL OR {AccountExists}@account))
        ON CONFLICT (id) DO UPDATE SET expires = excluded.expires
        """;

    public const string SlideSql =
        "UPDATE sessions SET last_used_at = @used, expires = @expires, address = @address WHERE id = @id AND user_id = @user";

    public const string DeleteSql = "DELETE FROM sessions WHERE id = @id AND user_id = @user";

    public const string DeleteAllSql = "DELETE FROM sessions WHERE user_id = @user";

    public const string DeleteExpiredSql = "DELETE FROM sessions WHERE user_id = @user AND expires <= @now";

    /// <summary>A row of <see cref="ListSql"/>. Both drivers convert ids and times from their stored form.</summary>
    public static SessionRow Read(DbDataReader reader) => new(
        reader.GetGuid(0),
        reader.GetGuid(1),
        reader.GetFieldValue<byte[]>(2),
        reader.GetFieldValue<DateTimeOffset>(3),
        reader.GetFieldValue<DateTimeOffset>(4),
        reader.GetFieldValue<DateTimeOffset>(5),
        reader.IsDBNull(6) ? null : reader.GetString(6),
        reader.IsDBNull(7) ? null : reader.GetString(7),
        reader.IsDBNull(8) ? null : reader.GetString(8),
        reader.GetBoolean(9));
}
