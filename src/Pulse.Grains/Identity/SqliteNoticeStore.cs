using Microsoft.Data.Sqlite;
using Pulse.Grains.Storage;
using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary><c>notices</c> in the embedded SQLite file.</summary>
internal sealed class SqliteNoticeStore(SqliteDatabase database) : INoticeStore
{
    /// <inheritdoc/>
    public Task AddAsync(Guid userId, AccountNotice notice, CancellationToken cancellationToken = default)
    {
        var id = SqliteText.From(Guid.CreateVersion7(notice.At));
        return database.WriteAsync(
            connection =>
            {
                using var command = new SqliteCommand($"{NoticeTable.AddSql}; {NoticeTable.TrimSql}", connection);
                command.Parameters.AddRange((SqliteParameter[])
                [
                    new("id", id),
                    new("user", SqliteText.From(userId)),
                    new("kind", (int)notice.Kind),
                    new("detail", notice.Detail ?? (object)DBNull.Value),
                    new("at", SqliteText.From(notice.At)),
                    new("most", NoticeTable.MaxResults),
                ]);
                return command.ExecuteNonQuery();
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<AccountNotice>> ListAsync(Guid userId, CancellationToken cancellationToken = default) => database.ReadAsync(
        connection =>
        {
            using var command = new SqliteCommand(NoticeTable.ListSql, connection) { Parameters = { new("user", SqliteText.From(userId)) } };
            using var reader = command.ExecuteReader();
            var notices = new List<AccountNotice>();
            while (reader.Read()) notices.Add(NoticeTable.Read(reader));
            return (IReadOnlyList<AccountNotice>)notices;
        },
        cancellationToken);
}
