using Npgsql;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Identity;

/// <summary><c>accounts</c> in PostgreSQL.</summary>
internal sealed class PostgresAccountStore(PostgresDatabase database) : IAccountStore
{
    /// <inheritdoc/>
    public Task<Guid?> FindUserAsync(string provider, string providerAccountId, CancellationToken cancellationToken = default) => database.RunAsync(
        async (connection, token) =>
        {
            using var command = new NpgsqlCommand(AccountTable.FindUserSql, connection)
            {
                Parameters = { new("provider", provider), new("providerAccountId", providerAccountId) },
            };
            return (Guid?)await command.ExecuteScalarAsync(token);
        },
        cancellationToken);
}
