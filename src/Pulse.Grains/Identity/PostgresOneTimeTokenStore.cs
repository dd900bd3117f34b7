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
            ForgetAndAddSql,
            async (command, deadline) =>
            {
                command.Parameters.Add(new("identifier", token.Identifier));
                command.Parameters.Add(new("token", token.Hash));
                command.Parameters.Add(new("expires", token.ExpiresAt.ToUniversalTime()));
                command.Parameters.Add(new("now", now.ToUniversalTime()));
                command.Parameters.Add(new("atMost", (long)atMost));
                command.Parameters.Add(new("forget", now.ToUniversalTime() - OneTimeTokenTable.Remembered));
                return await command.ExecuteNonQueryAsync(deadline);
            },
            cancellationToken);

        // None may also mean that a first try got through and its answer was lost.
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
    /// <remarks>Repeated after an answer that was lost it finds nothing: the link is gone and signed nobody in, which is the safe way to fail.</remarks>
    public Task<string?> ConsumeAsync(byte[] hash, DateTimeOffset now, CancellationToken cancellationToken = default) => database.RunAsync(
        OneTimeTokenTable.ConsumeSql,
        async (command, deadline) =>
        {
            command.Parameters.Add(new("token", hash));
            command.Parameters.Add(new("now", now.ToUniversalTime()));
            return (string?)await command.ExecuteScalarAsync(deadline);
        },
        cancellationToken);
}
