using Npgsql;
using NpgsqlTypes;
using Pulse.Grains.Storage;
using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary><c>notices</c> in PostgreSQL. Every method takes one round trip.</summary>
internal sealed class PostgresNoticeStore(PostgresDatabase database) : INoticeStore
{
    /// <inheritdoc/>
    public Task AddAsync(Guid userId, AccountNotice notice, CancellationToken cancellationToken = default)
    {
        var id = Guid.CreateVersion7(notice.At);
        return database.RunAsync(
            $"{NoticeTable.AddSql}; {NoticeTable.TrimSql}",
            (command, token) =>
            {
                command.Parameters.AddRange((NpgsqlParameter[])
                [
                    new("id", id),
                    new("user", userId),
                    new("kind", (int)notice.Kind),
                    new("detail", NpgsqlDbType.Text) { Value = notice.Detail ?? (object)DBNull.Value },
                    new("at", notice.At.ToUniversalTime()),
                    new("most", NoticeTable.MaxResults),
                ]);
                return command.ExecuteNonQueryAsync(token);
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<AccountNotice>> ListAsync(Guid userId, CancellationToken cancellationToken = default) => database.ReadAsync(
        NoticeTable.ListSql,
        async (command, token) =>
        {
            command.Parameters.Add(new("user", userId));
            await using var reader = await command.ExecuteReaderAsync(token);
            var notices = new List<AccountNotice>();
            while (await reader.ReadAsync(token)) notices.Add(NoticeTable.Read(reader));
            return (IReadOnlyList<AccountNotice>)notices;
        },
        cancellationToken);
}
