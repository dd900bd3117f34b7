using Pulse.Presence;
using Pulse.Users;

namespace Pulse.Grains.Tests.Users;

/// <summary>The base of tests of one user's grain, with a user of this test only.</summary>
public abstract class OneUser(PatientCluster cluster)
{
    protected PatientCluster Cluster => cluster;

    protected Guid Id { get; } = Guid.CreateVersion7();

    protected IUserGrain User => cluster.Client.GetGrain<IUserGrain>(Id);

    protected Task<ProfileSyncResult> SyncAsync() => User.SyncProfileAsync(Update());

    protected ProfileUpdate Update() => new() { Email = $"{Id:N}@users.test", Name = "Ada" };

    protected ConnectionLease Lease(string name) =>
        new() { ConnectionId = $"{Id:N}-{name}", FrontEndId = "front-end", SeenAt = TimeProvider.System.GetUtcNow(), ActiveAt = TimeProvider.System.GetUtcNow() };
}
