using Microsoft.Data.Sqlite;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Identity;

/// <summary><c>sessions</c> in the embedded SQLite file.</summary>
internal sealed class SqliteSessionStore(SqliteDatabase database) : ISessionStore
{
    private const string SweepSql =
        "DELETE FROM sessions WHERE id IN (SELECT id FROM sessions WHERE expires <= @now ORDER BY expires LIMIT @limit)";

    /// <inheritdoc/>
    public Task<IReadOnlyList<SessionRow>> ListAsync(Guid userId, CancellationToken cancellationToken = default) => database.ReadAsync(
        connection =>
        {
            using var command = new SqliteCommand(SessionTable.ListSql, connection) { Parameters = { new("user", SqliteText.From(userId)) } };
            using var reader = command.ExecuteReader();
            var rows = new List<SessionRow>();
            while (reader.Read()) rows.Add(SessionTable.Read(reader));
            return (IReadOnlyList<SessionRow>)rows;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<bool> InsertAsync(SessionRow session, IReadOnlyCollection<Guid> ended, CancellationToken cancellationToken = default) => database.WriteAsync(
        connection =>
        {
            using var insert = new SqliteCommand(SessionTable.InsertSql, connection);
            insert.Parameters.AddRange(
            [
                .. UseOf(session),
                new("token", session.TokenHash),
                new("created", SqliteText.From(session.CreatedAt)),
                new("device", session.Device ?? (object)DBNull.Value),
                new("account", session.Account ?? (object)DBNull.Value),
            ]);
            if (insert.ExecuteNonQuery() == 0) return false;

            foreach (var id in ended)
            {
                using var delete = new SqliteCommand(SessionTable.DeleteSql, connection);
                delete.Parameters.AddRange([new("user", SqliteText.From(session.UserId)), new SqliteParameter("id", SqliteText.From(id))]);
                delete.ExecuteNonQuery();
            }

            return true;
        },
        cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> SlideAsync(SessionRow session, CancellationToken cancellationToken = default) =>
        await ExecuteAsync(SessionTable.SlideSql, UseOf(session), cancellationToken) > 0;

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(Guid userId, Guid sessionId, CancellationToken cancellationToken = default) =>
        await ExecuteAsync(SessionTable.DeleteSql, [new("user", SqliteText.From(userId)), new("id", SqliteText.From(sessionId))], cancellationToken) > 0;

    /// <inheritdoc/>
    public Task DeleteAllAsync(Guid userId, CancellationToken cancellationToken = default) =>
        ExecuteAsync(SessionTable.DeleteAllSql, [new("user", SqliteText.From(userId))], cancellationToken);

    /// <inheritdoc/>
    public Task DeleteExpiredAsync(Guid userId, DateTimeOffset now, CancellationToken cancellationToken = default) =>
        ExecuteAsync(SessionTable.DeleteExpiredSql, [new("user", SqliteText.From(userId)), new("now", SqliteText.From(now))], cancellationToken);

    /// <inheritdoc/>
    public Task<int> SweepAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken = default) =>
        ExecuteAsync(SweepSql, [new("now", SqliteText.From(now)), new("limit", limit)], cancellationToken);

    private Task<int> ExecuteAsync(string sql, SqliteParameter[] parameters, CancellationToken cancellationToken) => database.WriteAsync(
        connection =>
        {
            using var command = new SqliteCommand(sql, connection);
            command.Parameters.AddRange(parameters);
            return command.ExecuteNonQuery();
        },
        cancellationToken);

    private static SqliteParameter[] UseOf(SessionRow session) =>
    [
        new("id", SqliteText.From(session.Id)),
        new("user", SqliteText.From(session.UserId)),
        new("used", SqliteText.From(session.LastUsedAt)),
        new("expires", SqliteText.From(session.ExpiresAt)),
        new("address", session.Address ?? (object)DBNull.Value),
    ];
}
