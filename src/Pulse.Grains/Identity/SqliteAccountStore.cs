using Microsoft.Data.Sqlite;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Identity;

/// <summary><c>accounts</c> in the embedded SQLite file.</summary>
internal sealed class SqliteAccountStore(SqliteDatabase database) : IAccountStore
{
    /// <inheritdoc/>
    public Task<Guid?> FindUserAsync(string provider, string providerAccountId, CancellationToken cancellationToken = default) => database.ReadAsync(
        connection =>
        {
            using var command = new SqliteCommand(AccountTable.FindUserSql, connection)
            {
                Parameters = { new("provider", provider), new("providerAccountId", providerAccountId) },
            };
            return command.ExecuteScalar() is string userId ? Guid.Parse(userId) : (Guid?)null;
        },
        cancellationToken);
}
