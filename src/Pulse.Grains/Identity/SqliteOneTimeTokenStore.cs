using Microsoft.Data.Sqlite;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Identity;

/// <summary><c>verification_tokens</c> in the embedded SQLite file.</summary>
internal sealed class SqliteOneTimeTokenStore(SqliteDatabase database) : IOneTimeTokenStore
{
    private const string SweepSql =
        "DELETE FROM verification_tokens WHERE token IN (SELECT token FROM verification_tokens WHERE expires < @forget ORDER BY expires LIMIT @limit)";

    /// <inheritdoc/>
    public async Task<bool> AddAsync(OneTimeToken token, int atMost, DateTimeOffset now, CancellationToken cancellationToken = default)
    {
        var added = await database.WriteAsync(
            connection =>
            {
                using var command = new SqliteCommand(OneTimeTokenTable.AddSql, connection)
                {
                    Parameters =
                    {
                        new("identifier", token.Identifier),
                        new("token", token.Hash),
                        new("expires", SqliteText.From(token.ExpiresAt)),
                        new("now", SqliteText.From(now)),
                        new("atMost", atMost),
                    },
                };
                return command.ExecuteNonQuery();
            },
            cancellationToken);
        return added > 0 || await FindAsync(token.Hash, cancellationToken) is not null;
    }

    /// <inheritdoc/>
    public Task<OneTimeToken?> FindAsync(byte[] hash, CancellationToken cancellationToken = default) => database.ReadAsync(
        connection =>
        {
            using var command = new SqliteCommand(OneTimeTokenTable.FindSql, connection) { Parameters = { new("token", hash) } };
            using var reader = command.ExecuteReader();
            return reader.Read() ? OneTimeTokenTable.Read(reader) : null;
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<string?> ConsumeAsync(byte[] hash, DateTimeOffset now, CancellationToken cancellationToken = default) => database.WriteAsync(
        connection =>
        {
            using var command = new SqliteCommand(OneTimeTokenTable.ConsumeSql, connection)
            {
                Parameters = { new("token", hash), new("now", SqliteText.From(now)) },
            };
            return (string?)command.ExecuteScalar();
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task RemoveAllAsync(string identifier, CancellationToken cancellationToken = default) => database.WriteAsync(
        connection =>
        {
            using var command = new SqliteCommand(OneTimeTokenTable.RemoveAllSql, connection) { Parameters = { new("identifier", identifier) } };
            return command.ExecuteNonQuery();
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<int> SweepAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken = default) => database.WriteAsync(
        connection =>
        {
            using var command = new SqliteCommand(SweepSql, connection)
            {
                Parameters = { new("forget", SqliteText.From(now - OneTimeTokenTable.Remembered)), new("limit", limit) },
            };
            return command.ExecuteNonQuery();
        },
        cancellationToken);
}
