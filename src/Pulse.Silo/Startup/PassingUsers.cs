using Pulse.Grains.Storage;

namespace Pulse.Silo.Startup;

/// <summary>Simulated users that are deleted from the database when their process stops.</summary>
/// <param name="Ids">Their ids, which are constant and used by no real user.</param>
/// <param name="AreHere">Whether this process simulates them.</param>
public sealed record PassingUsers(IReadOnlyList<Guid> Ids, bool AreHere);

/// <summary>Deletes <see cref="PassingUsers"/> when their process stops. After a crash, the next start without them deletes them.</summary>
/// <remarks>It starts before the silo and stops after it, so that grains have released these users by then.</remarks>
internal sealed class PassingUsersRemoval(IStoreDatabase database, PassingUsers? users = null) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => users is { AreHere: false } ? RemoveAsync(users.Ids, cancellationToken) : Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => users is { AreHere: true } ? RemoveAsync(users.Ids, cancellationToken) : Task.CompletedTask;

    private async Task RemoveAsync(IReadOnlyList<Guid> ids, CancellationToken cancellationToken)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync(cancellationToken);
        await using var command = connection.CreateCommand();

        // Literals instead of parameters, because one text serves both databases and ids are safe in SQL.
        command.CommandText = $"DELETE FROM users WHERE id IN ({string.Join(", ", ids.Select(id => $"'{id:D}'"))})";
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
