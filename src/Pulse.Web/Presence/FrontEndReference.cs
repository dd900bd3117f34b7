using Microsoft.Extensions.DependencyInjection;
using Pulse.Presence;

namespace Pulse.Web.Presence;

/// <summary>This process as grains reach it.</summary>
internal sealed class FrontEndReference(IGrainFactory grains, IServiceProvider services)
{
    // Held here: Orleans itself keeps an observer weakly. Made when first needed, for the client must have started; and by then the front end,
    // which needs this reference in turn, has been made too.
    private readonly Lazy<(IFrontEndObserver Target, IFrontEndObserver Reference)> _observer = new(() =>
    {
        var target = ActivatorUtilities.CreateInstance<FrontEndObserver>(services);
        return (target, grains.CreateObjectReference<IFrontEndObserver>(target));
    });

    public IFrontEndObserver Value => _observer.Value.Reference;

    private sealed class FrontEndObserver(FrontEnd frontEnd, PresenceWatches watches) : IFrontEndObserver
    {
        public Task PresenceChanged(PresenceSnapshot presence)
        {
            watches.Take(presence);
            return Task.CompletedTask;
        }

        private static SessionEndedMessage MessageFor(CloseReason reason) => reason switch
        {
            CloseReason.TooManyConnections => SessionEndedMessage.TooManyConnections,
            CloseReason.Replaced => SessionEndedMessage.Replaced,
            CloseReason.UserRemoved => SessionEndedMessage.UserRemoved,
            CloseReason.ClosedByOperator => SessionEndedMessage.ClosedByOperator,
            _ => SessionEndedMessage.SignedOut,
        };

        public Task CloseConnectionsAsync(string[] connectionIds, CloseReason reason)
        {
            // Answered before they are closed: the grain's turn must not wait for clients, and none of theirs is served any more.
            frontEnd.Close(connectionIds, MessageFor(reason));
            return Task.CompletedTask;
        }
    }
}
