using System.Data.Common;
using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary>The <c>notices</c> table.</summary>
/// <remarks>Every method throws <see cref="StoreUnavailableException"/> when the database is unavailable or too slow.</remarks>
internal interface INoticeStore
{
    /// <summary>
    /// Adds a notice, and deletes all but the user's latest <see cref="NoticeTable.MaxResults"/>. A user that lacks a row is skipped.
    /// </summary>
    Task AddAsync(Guid userId, AccountNotice notice, CancellationToken cancellationToken = default);

    /// <summary>The user's notices, latest first.</summary>
    Task<IReadOnlyList<AccountNotice>> ListAsync(Guid userId, CancellationToken cancellationToken = default);
}

/// <summary>The statements of <c>notices</c> that PostgreSQL and SQLite share.</summary>
internal static class NoticeTable
{
    /// <summary>Maximum notices of one user.</summary>
    public const int MaxResults = 20;

    public const string ListSql = "SELECT kind, detail, at FROM notices WHERE user_id = @user ORDER BY at DESC, id DESC";

    /// <summary>Safe to repeat, because it finds its own row.</summary>
    public const string AddSql =
        """
        INSERT INTO notices (id, user_id, kind, detail, at)
        SELECT @id, @user, @kind, @detail, @at WHERE EXISTS (SELECT 1 FROM users WHERE id = @user)
        ON CONFLICT (id) DO NOTHING
        """;

    public const string TrimSql =
        "DELETE FROM notices WHERE user_id = @user AND id NOT IN (SELECT id FROM notices WHERE user_id = @user ORDER BY at DESC, id DESC LIMIT @most)";

    /// <summary>A row of <see cref="ListSql"/>.</summary>
    public static AccountNotice Read(DbDataReader reader) => new()
    {
        Kind = (AccountNoticeKind)reader.GetInt32(0),
        Detail = reader.IsDBNull(1) ? null : reader.GetString(1),
        At = reader.GetFieldValue<DateTimeOffset>(2),
    };
}
