using Pulse.Grains.Storage;

namespace Pulse.Silo.Startup;

/// <summary>Users that leave the database with the process that simulates them.</summary>
/// <param name="Ids">Their ids: always the same, and nobody else's.</param>
/// <param name="AreHere">Whether this process simulates them.</param>
public sealed record PassingUsers(IReadOnlyList<Guid> Ids, bool AreHere);

/// <summary>Removes <see cref="PassingUsers"/>: when the process that simulates them stops, or, where it was killed, when the next one starts without them.</summary>
/// <remarks>Starts before the silo and stops after it: no grain holds these users then.</remarks>
internal sealed class PassingUsersRemoval(IStoreDatabase database, PassingUsers? users = null) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => users is { AreHere: false } ? RemoveAsync(users.Ids, cancellationToken) : Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => users is { AreHere: true } ? RemoveAsync(users.Ids, cancellationToken) : Task.CompletedTask;

    private async Task RemoveAsync(IReadOnlyList<Guid> ids, CancellationToken cancellationToken)
    {
        await using var connection = await database.DataSource.OpenConnectionAsync(cancellationToken);
        await using var command = connection.CreateCommand();

        // Literals and no parameters: one text for both databases, and ids hold nothing to escape.
        command.CommandText = $"DELETE FROM users WHERE id IN ({string.Join(", ", ids.Select(id => $"'{id:D}'"))})";
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
