using Npgsql;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Identity;

/// <summary><c>verification_tokens</c> in PostgreSQL.</summary>
internal sealed class PostgresOneTimeTokenStore(PostgresDatabase database) : IOneTimeTokenStore
{
    // Several silos may sweep at once. Each skips the rows that another has locked.
    private const string SweepSql =
        """
        DELETE FROM verification_tokens WHERE token IN (
            SELECT token FROM verification_tokens WHERE expires < @forget ORDER BY expires LIMIT @limit FOR UPDATE SKIP LOCKED)
        """;

    /// <inheritdoc/>
    public async Task<bool> AddAsync(OneTimeToken token, int atMost, DateTimeOffset now, CancellationToken cancellationToken = default)
    {
        var added = await database.RunAsync(
            OneTimeTokenTable.AddSql,
            async (command, deadline) =>
            {
                command.Parameters.Add(new("identifier", token.Identifier));
                command.Parameters.Add(new("token", token.Hash));
                command.Parameters.Add(new("expires", token.ExpiresAt.ToUniversalTime()));
                command.Parameters.Add(new("now", now.ToUniversalTime()));
                command.Parameters.Add(new("atMost", (long)atMost));
                return await command.ExecuteNonQueryAsync(deadline);
            },
            cancellationToken);

        // Zero rows may also mean that the first attempt committed and its answer was lost.
        return added > 0 || await FindAsync(token.Hash, cancellationToken) is not null;
    }

    /// <inheritdoc/>
    public Task<OneTimeToken?> FindAsync(byte[] hash, CancellationToken cancellationToken = default) => database.ReadAsync(
        OneTimeTokenTable.FindSql,
        async (command, deadline) =>
        {
            command.Parameters.Add(new("token", hash));
            await using var reader = await command.ExecuteReaderAsync(deadline);
            return await reader.ReadAsync(deadline) ? OneTimeTokenTable.Read(reader) : null;
        },
        cancellationToken);

    /// <inheritdoc/>
    /// <remarks>
    /// If it is repeated after a lost answer, it finds no token. The link is then used up without a sign-in, which is the safe failure.
    /// </remarks>
    public Task<string?> ConsumeAsync(byte[] hash, DateTimeOffset now, CancellationToken cancellationToken = default) => database.RunAsync(
        OneTimeTokenTable.ConsumeSql,
        async (command, deadline) =>
        {
            command.Parameters.Add(new("token", hash));
            command.Parameters.Add(new("now", now.ToUniversalTime()));
            return (string?)await command.ExecuteScalarAsync(deadline);
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task RemoveAllAsync(string identifier, CancellationToken cancellationToken = default) => database.RunAsync(
        OneTimeTokenTable.RemoveAllSql,
        async (command, deadline) =>
        {
            command.Parameters.Add(new("identifier", identifier));
            return await command.ExecuteNonQueryAsync(deadline);
        },
        cancellationToken);

    /// <inheritdoc/>
    public Task<int> SweepAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken = default) => database.RunAsync(
        SweepSql,
        async (command, deadline) =>
        {
            command.Parameters.Add(new("forget", now.ToUniversalTime() - OneTimeTokenTable.Remembered));
            command.Parameters.Add(new("limit", limit));
            return await command.ExecuteNonQueryAsync(deadline);
        },
        cancellationToken);
}
