using Microsoft.Extensions.DependencyInjection;
using Pulse.Presence;

namespace Pulse.Web.Presence;

/// <summary>The observer through which grains call this process.</summary>
internal sealed class FrontEndReference(IGrainFactory grains, IServiceProvider services)
{
    // Held here because Orleans keeps only a weak reference to an observer. Created on first use, because the Orleans client must have
    // started. By then the front end, which needs this reference in turn, exists too.
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
            // Answered before the sockets are closed: the grain's turn must not wait for clients, whose calls are refused from now on.
            frontEnd.Close(connectionIds, MessageFor(reason));
            return Task.CompletedTask;
        }
    }
}
