using Npgsql;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Identity;

/// <summary><c>verification_tokens</c> in PostgreSQL.</summary>
internal sealed class PostgresOneTimeTokenStore(PostgresDatabase database) : IOneTimeTokenStore
{
    private const string ForgetAndAddSql = $"WITH forgotten AS ({OneTimeTokenTable.ForgetSql}) {OneTimeTokenTable.AddSql}";

    /// <inheritdoc/>
    public async Task<bool> AddAsync(OneTimeToken token, int atMost, DateTimeOffset now, CancellationToken cancellationToken = default)
    {
        var added = await database.RunAsync(
            async (connection, deadline) =>
            {
                using var command = new NpgsqlCommand(ForgetAndAddSql, connection)
                {
                    Parameters =
                    {
                        new("identifier", token.Identifier),
                        new("token", token.Hash),
                        new("expires", token.ExpiresAt.ToUniversalTime()),
                        new("now", now.ToUniversalTime()),
                        new("atMost", (long)atMost),
                        new("forget", now.ToUniversalTime() - OneTimeTokenTable.Remembered),
                    },
                };
                return await command.ExecuteNonQueryAsync(deadline);
            },
            cancellationToken);

        // None may also mean that a first try got through and its answer was lost.
        return added > 0 || await FindAsync(token.Hash, cancellationToken) is not null;
    }

    /// <inheritdoc/>
    public Task<OneTimeToken?> FindAsync(byte[] hash, CancellationToken cancellationToken = default) => database.RunAsync(
        async (connection, deadline) =>
        {
            using var command = new NpgsqlCommand(OneTimeTokenTable.FindSql, connection) { Parameters = { new("token", hash) } };
            await using var reader = await command.ExecuteReaderAsync(deadline);
            return await reader.ReadAsync(deadline) ? OneTimeTokenTable.Read(reader) : null;
        },
        cancellationToken);

    /// <inheritdoc/>
    /// <remarks>Repeated after an answer that was lost it finds nothing: the link is gone and signed nobody in, which is the safe way to fail.</remarks>
    public Task<string?> ConsumeAsync(byte[] hash, DateTimeOffset now, CancellationToken cancellationToken = default) => database.RunAsync(
        async (connection, deadline) =>
        {
            using var command = new NpgsqlCommand(OneTimeTokenTable.ConsumeSql, connection)
            {
                Parameters = { new("token", hash), new("now", now.ToUniversalTime()) },
            };
            return (string?)await command.ExecuteScalarAsync(deadline);
        },
        cancellationToken);
}
