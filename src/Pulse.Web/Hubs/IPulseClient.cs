using Pulse.Web.Connections;
using Pulse.Web.Presence;

namespace Pulse.Web.Hubs;

/// <summary>All that the server sends to a client.</summary>
public interface IPulseClient : IConnectionClient, IPresenceClient;
