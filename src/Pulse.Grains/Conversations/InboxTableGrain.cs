using Orleans.Concurrency;
using Orleans.Placement;
using Pulse.Conversations;
using Pulse.Grains.Presence.Watching;

namespace Pulse.Grains.Conversations;

/// <summary>Makes the table of its silo callable. All state is in <see cref="InboxTable"/>.</summary>
[OnItsSiloPlacement, Immovable, Reentrant, GrainType("inboxtable")]
internal sealed class InboxTableGrain(InboxTable table) : Grain, IInboxTableGrain
{
    public Task RegisterAsync(IInboxObserver frontEnd)
    {
        table.Register(frontEnd);
        return Task.CompletedTask;
    }

    public Task ForgetAsync(IInboxObserver frontEnd)
    {
        table.Forget(frontEnd);
        return Task.CompletedTask;
    }
}
