using System.Data.Common;

namespace Pulse.Grains.Users;

/// <summary>The columns and statements of <c>users</c> that PostgreSQL and SQLite share.</summary>
internal static class UserTable
{
    public const string Columns =
        "id, email, email_verified, name, avatar, created_at, last_seen, version, unproven_email, name_edited, avatar_edited, disabled_at, tokens_not_before";

    /// <summary>The parameters of a new row, in the order of <see cref="Columns"/>.</summary>
    private const string NewValues =
        "@id, @email, @verified, @name, @avatar, @created, @seen, @version, @unproven, @nameEdited, @avatarEdited, @disabled, @notBefore";

    public const string ListNewestSql = $"SELECT {Columns} FROM users ORDER BY id DESC LIMIT @count";

    public const string ListAddressesSql =
        $"SELECT {Columns}, email IS NOT NULL AND NOT email_verified FROM users WHERE id > @after ORDER BY id LIMIT @count";

    public const string IsUpgradedSql = "SELECT 1 FROM data_upgrades WHERE name = @name";

    public const string SetUpgradedSql = "INSERT INTO data_upgrades (name) VALUES (@name) ON CONFLICT (name) DO NOTHING";

    /// <summary>Inserts the row unless the id has a tombstone.</summary>
    public const string InsertSql =
        $"INSERT INTO users ({Columns}) SELECT {NewValues} WHERE NOT EXISTS (SELECT 1 FROM tombstones WHERE id = @id)";

    public const string UpdateProfileSql =
        """
        UPDATE users SET email = @email, email_verified = @verified, unproven_email = @unproven, name = @name, name_edited = @nameEdited,
            avatar = @avatar, avatar_edited = @avatarEdited, version = version + 1
        WHERE id = @id AND version = @version
        """;

    /// <summary>
    /// Reads the owner of an e-mail after a refused insert. The owner may be the same user, written by another activation or a first
    /// attempt.
    /// </summary>
    public const string OwnerSql = "SELECT id, email_verified FROM users WHERE email = @email";

    /// <summary>
    /// Takes an unproven address from a user. Such a row was written by an older version or by another program.
    /// </summary>
    /// <remarks><c>CAST</c> formats an id identically in both databases.</remarks>
    public const string TakeOverSql =
        $"""
        UPDATE users SET unproven_email = email, email = CASE WHEN @nullable THEN NULL ELSE CAST(id AS text) || '{AddressColumns.NoMailbox}' END, version = version + 1
        WHERE email = @email AND NOT email_verified AND id <> @id
        """;

    /// <summary>Keeps the time of an earlier disabling.</summary>
    public const string DisableSql = "UPDATE users SET disabled_at = COALESCE(disabled_at, @at) WHERE id = @id";

    public const string EnableSql = "UPDATE users SET disabled_at = NULL WHERE id = @id";

    public const string FindTombstoneSql = "SELECT erased_at FROM tombstones WHERE id = @id";

    public const string ListAfterSql = $"SELECT {Columns} FROM users WHERE id > @after ORDER BY id LIMIT @count";

    /// <summary>The owner of the address comes first, because anybody may state an address without a proof, also before its owner comes.</summary>
    public const string FindByEmailSql =
        $"SELECT {Columns} FROM users WHERE email = @email OR unproven_email = @email ORDER BY email_verified DESC, id LIMIT @count";

    /// <summary>A row of a statement that begins with <see cref="Columns"/>, all NULL if the user has no row, and the time of the tombstone in the given column.</summary>
    public static (UserRow? Row, DateTimeOffset? ErasedAt) ReadFound(DbDataReader reader, int erasedAt) =>
        (reader.IsDBNull(0) ? null : Read(reader), Time(reader, erasedAt));

    /// <summary>
    /// A row of a statement that begins with <see cref="Columns"/>. Both drivers convert ids and times from their stored form.
    /// </summary>
    public static UserRow Read(DbDataReader reader) => new(
        reader.GetGuid(0),
        AddressColumns.Read(email: Text(reader, 1), reader.GetBoolean(2), unproven: Text(reader, 8)),
        reader.GetBoolean(2),
        reader.GetString(3),
        Text(reader, 4),
        reader.GetFieldValue<DateTimeOffset>(5),
        Time(reader, 6),
        reader.GetInt64(7),
        Flag(reader, 9),
        Flag(reader, 10),
        Time(reader, 11),
        Time(reader, 12));

    private static string? Text(DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    private static DateTimeOffset? Time(DbDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetFieldValue<DateTimeOffset>(column);

    private static bool? Flag(DbDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetBoolean(column);
}
