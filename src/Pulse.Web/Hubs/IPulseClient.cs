using Pulse.Web.Connections;
using Pulse.Web.Conversations;
using Pulse.Web.Presence;

namespace Pulse.Web.Hubs;

/// <summary>All messages from the server to a client.</summary>
public interface IPulseClient : IConnectionClient, IPresenceClient, IConversationClient;
