using Npgsql;
using NpgsqlTypes;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Identity;

/// <summary><c>sessions</c> in PostgreSQL. Every method takes one statement and therefore one round trip.</summary>
internal sealed class PostgresSessionStore(PostgresDatabase database) : ISessionStore
{
    private const string InsertSql =
        $"""
        WITH ended AS (DELETE FROM sessions WHERE user_id = @user AND id = ANY (@ended))
        {SessionTable.InsertSql}
        """;

    // Several silos may sweep at once. Each skips the rows that another has locked. The lock also verifies the expiry of a row that is
    // being extended at the same time.
    private const string SweepSql =
        """
        DELETE FROM sessions WHERE id IN (
            SELECT id FROM sessions WHERE expires <= @now ORDER BY expires LIMIT @limit FOR UPDATE SKIP LOCKED)
        """;

    /// <inheritdoc/>
    public Task<IReadOnlyList<SessionRow>> ListAsync(Guid userId, CancellationToken cancellationToken = default) => database.ReadAsync(
        SessionTable.ListSql,
        async (command, token) =>
        {
            command.Parameters.Add(new("user", userId));
            await using var reader = await command.ExecuteReaderAsync(token);
            var rows = new List<SessionRow>();
            while (await reader.ReadAsync(token)) rows.Add(SessionTable.Read(reader));
            return (IReadOnlyList<SessionRow>)rows;
        },
        cancellationToken);

    /// <inheritdoc/>
    public async Task<bool> InsertAsync(SessionRow session, IReadOnlyCollection<Guid> ended, CancellationToken cancellationToken = default) =>
        await ExecuteAsync(
            InsertSql,
            () =>
            [
                .. UseOf(session),
                new("token", session.TokenHash),
                new("created", session.CreatedAt.ToUniversalTime()),
                Text("device", session.Device),
                Text("account", session.Account),
                new("ended", NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = ended.ToArray() },
            ],
            cancellationToken) > 0;

    /// <inheritdoc/>
    public async Task<bool> SlideAsync(SessionRow session, CancellationToken cancellationToken = default) =>
        await ExecuteAsync(SessionTable.SlideSql, () => UseOf(session), cancellationToken) > 0;

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(Guid userId, Guid sessionId, CancellationToken cancellationToken = default) =>
        await ExecuteAsync(SessionTable.DeleteSql, () => [new("user", userId), new("id", sessionId)], cancellationToken) > 0;

    /// <inheritdoc/>
    public Task DeleteAllAsync(Guid userId, CancellationToken cancellationToken = default) =>
        ExecuteAsync(SessionTable.DeleteAllSql, () => [new("user", userId)], cancellationToken);

    /// <inheritdoc/>
    public Task DeleteExpiredAsync(Guid userId, DateTimeOffset now, CancellationToken cancellationToken = default) =>
        ExecuteAsync(SessionTable.DeleteExpiredSql, () => [new("user", userId), new("now", now.ToUniversalTime())], cancellationToken);

    /// <inheritdoc/>
    public Task<int> SweepAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken = default) =>
        ExecuteAsync(SweepSql, () => [new("now", now.ToUniversalTime()), new("limit", limit)], cancellationToken);

    // A parameter belongs to one command, so a repeated statement needs new ones.
    private Task<int> ExecuteAsync(string sql, Func<NpgsqlParameter[]> parameters, CancellationToken cancellationToken) => database.RunAsync(
        sql,
        async (command, token) =>
        {
            command.Parameters.AddRange(parameters());
            return await command.ExecuteNonQueryAsync(token);
        },
        cancellationToken);

    private static NpgsqlParameter[] UseOf(SessionRow session) =>
    [
        new("id", session.Id),
        new("user", session.UserId),
        new("used", session.LastUsedAt.ToUniversalTime()),
        new("expires", session.ExpiresAt.ToUniversalTime()),
        Text("address", session.Address),
    ];

    private static NpgsqlParameter Text(string name, string? value) => new(name, NpgsqlDbType.Text) { Value = value ?? (object)DBNull.Value };
}
