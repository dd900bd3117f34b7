using System.Data.Common;

namespace Pulse.Grains.Identity;

/// <summary>The statements of <c>verification_tokens</c> that PostgreSQL and SQLite share.</summary>
internal static class OneTimeTokenTable
{
    /// <summary>Time for which an expired token is kept, so that its link can be distinguished from an invented one.</summary>
    public static readonly TimeSpan Remembered = TimeSpan.FromHours(1);

    /// <summary>The count uses the index on <c>(identifier, expires)</c>, so it reads only the tokens of one mailbox.</summary>
    public const string AddSql =
        """
        INSERT INTO verification_tokens (identifier, token, expires)
        SELECT @identifier, @token, @expires
        WHERE (SELECT count(*) FROM verification_tokens WHERE identifier = @identifier AND expires > @now) < @atMost
        ON CONFLICT (token) DO NOTHING
        """;

    public const string FindSql = "SELECT identifier, token, expires FROM verification_tokens WHERE token = @token";

    public const string ConsumeSql = "DELETE FROM verification_tokens WHERE token = @token AND expires > @now RETURNING identifier";

    public const string RemoveAllSql = "DELETE FROM verification_tokens WHERE identifier = @identifier";

    /// <summary>A row of <see cref="FindSql"/>.</summary>
    public static OneTimeToken Read(DbDataReader reader) =>
        new(reader.GetString(0), reader.GetFieldValue<byte[]>(1), reader.GetFieldValue<DateTimeOffset>(2));
}
