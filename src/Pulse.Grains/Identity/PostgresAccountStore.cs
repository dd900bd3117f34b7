using Pulse.Grains.Storage;

namespace Pulse.Grains.Identity;

/// <summary><c>accounts</c> in PostgreSQL.</summary>
internal sealed class PostgresAccountStore(PostgresDatabase database) : IAccountStore
{
    /// <inheritdoc/>
    public Task<Guid?> FindUserAsync(string provider, string providerAccountId, CancellationToken cancellationToken = default) => database.RunAsync(
        AccountTable.FindUserSql,
        async (command, token) =>
        {
            command.Parameters.Add(new("provider", provider));
            command.Parameters.Add(new("providerAccountId", providerAccountId));
            return (Guid?)await command.ExecuteScalarAsync(token);
        },
        cancellationToken);
}
