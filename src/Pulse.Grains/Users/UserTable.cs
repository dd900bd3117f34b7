using System.Data.Common;

namespace Pulse.Grains.Users;

/// <summary>What PostgreSQL and SQLite agree on about <c>users</c>.</summary>
internal static class UserTable
{
    public const string Columns = "id, email, email_verified, name, avatar, created_at, last_seen, version";

    /// <summary>The parameters of a new row, in the order of <see cref="Columns"/>.</summary>
    public const string NewValues = "@id, @email, @verified, @name, @avatar, @created, @seen, @version";

    public const string FindSql = $"SELECT {Columns} FROM users WHERE id = @id";

    public const string ListNewestSql = $"SELECT {Columns} FROM users ORDER BY id DESC LIMIT @count";

    public const string InsertSql = $"INSERT INTO users ({Columns}) VALUES ({NewValues})";

    public const string UpdateProfileSql =
        """
        UPDATE users SET email = @email, email_verified = @verified, name = @name, avatar = @avatar, version = version + 1
        WHERE id = @id AND version = @version
        """;

    /// <summary>Whose an e-mail is. Asked after a refused insert: it may be that very user's, written by another activation or a first try.</summary>
    public const string OwnerSql = "SELECT id FROM users WHERE email = @email";

    /// <summary>A row of <see cref="FindSql"/> or <see cref="ListNewestSql"/>; both drivers read ids and times from what they store.</summary>
    public static UserRow Read(DbDataReader reader) => new(
        reader.GetGuid(0),
        reader.GetString(1),
        reader.GetBoolean(2),
        reader.GetString(3),
        reader.IsDBNull(4) ? null : reader.GetString(4),
        reader.GetFieldValue<DateTimeOffset>(5),
        reader.IsDBNull(6) ? null : reader.GetFieldValue<DateTimeOffset>(6),
        reader.GetInt64(7));
}
