using Orleans.Concurrency;
using Orleans.Placement;
using Pulse.Presence;

namespace Pulse.Grains.Presence.Watching;

/// <summary>Makes the table of its silo callable. All state is in <see cref="WatchTable"/>, so the activation is stateless.</summary>
[GrainType("watchtable")]
[OnItsSiloPlacement, Immovable, Reentrant]
internal sealed class WatchTableGrain(WatchTable table) : Grain, IWatchTableGrain
{
    public Task<WatchTableAnswer> UpdateAsync(string frontEndId, IFrontEndObserver frontEnd, Guid[] added, Guid[] removed, long generation) =>
        Task.FromResult(table.Update(frontEndId, frontEnd, added, removed, generation));

    public Task<WatchTableAnswer> RenewAsync(string frontEndId, long generation, long mark) => Task.FromResult(table.Renew(frontEndId, generation, mark));

    public Task ForgetAsync(string frontEndId)
    {
        table.Forget(frontEndId);
        return Task.CompletedTask;
    }
}
