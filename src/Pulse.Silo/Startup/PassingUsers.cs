using System.Data.Common;
using Pulse.Grains.Storage;

namespace Pulse.Silo.Startup;

/// <summary>Simulated users that are deleted from the database, with their conversations, when their process stops.</summary>
/// <param name="Ids">Their ids, which are constant and used by no real user.</param>
/// <param name="AreHere">Whether this process simulates them.</param>
public sealed record PassingUsers(IReadOnlyList<Guid> Ids, bool AreHere);

/// <summary>Deletes <see cref="PassingUsers"/> when their process stops. After a crash, the next start without them deletes them.</summary>
/// <remarks>
/// For the embedded store alone, because no other process can use these users meanwhile. It starts before the silo and stops after it, so
/// that grains have released the users by then.
/// </remarks>
internal sealed class PassingUsersRemoval(SqliteDatabase database, PassingUsers? users = null) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => users is { AreHere: false } ? RemoveAsync(users.Ids, cancellationToken) : Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => users is { AreHere: true } ? RemoveAsync(users.Ids, cancellationToken) : Task.CompletedTask;

    private async Task RemoveAsync(IReadOnlyList<Guid> ids, CancellationToken cancellationToken)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = connection.CreateCommand();
        command.Transaction = transaction;

        // Literals instead of parameters, because SQL has no lists as parameters and ids are safe in SQL.
        var users = ListOf(ids);
        var conversations = ListOf(await FindConversationsAsync(command, users, cancellationToken));
        string[] statements =
        [
            $"DELETE FROM message_search WHERE rowid IN (SELECT id FROM message_rows WHERE conversation_id IN {conversations})",
            $"DELETE FROM message_rows WHERE conversation_id IN {conversations}",
            $"DELETE FROM mentions WHERE conversation_id IN {conversations} OR user_id IN {users}",
            $"DELETE FROM reactions WHERE conversation_id IN {conversations} OR user_id IN {users}",
            $"DELETE FROM erasures WHERE conversation_id IN {conversations} OR user_id IN {users}",
            $"DELETE FROM entries WHERE conversation_id IN {conversations}",
            $"DELETE FROM members WHERE conversation_id IN {conversations} OR user_id IN {users}",
            $"DELETE FROM conversations WHERE id IN {conversations}",
            $"DELETE FROM blocks WHERE user_id IN {users} OR blocked_id IN {users}",
            $"DELETE FROM users WHERE id IN {users}",
        ];
        foreach (var statement in statements)
        {
            command.CommandText = statement;
            await command.ExecuteNonQueryAsync(cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>The direct conversations of these users, and the groups and channels that they created.</summary>
    private static async Task<List<Guid>> FindConversationsAsync(DbCommand command, string users, CancellationToken cancellationToken)
    {
        command.CommandText =
            $"""
            SELECT DISTINCT c.id FROM members m JOIN conversations c ON c.id = m.conversation_id
            WHERE m.user_id IN {users} AND (c.kind = 'direct' OR EXISTS (
                SELECT 1 FROM entries e WHERE e.conversation_id = c.id AND e.seq = 1 AND e.sender_id IN {users}))
            """;
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var found = new List<Guid>();
        while (await reader.ReadAsync(cancellationToken)) found.Add(reader.GetGuid(0));
        return found;
    }

    // The empty id, which belongs to no row, keeps the list from being empty, which SQL refuses.
    private static string ListOf(IEnumerable<Guid> ids) => $"({string.Join(", ", ids.Append(Guid.Empty).Select(id => $"'{id:D}'"))})";
}
