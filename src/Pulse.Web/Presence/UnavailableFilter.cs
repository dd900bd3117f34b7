using Microsoft.AspNetCore.SignalR;
using Pulse.Web.Http;

namespace Pulse.Web.Presence;

/// <summary>Tells a client that a part of Pulse is away, and not that something went wrong, as REST does with 503.</summary>
internal sealed class UnavailableFilter : IHubFilter
{
    public async ValueTask<object?> InvokeMethodAsync(HubInvocationContext invocation, Func<HubInvocationContext, ValueTask<object?>> next)
    {
        try
        {
            return await next(invocation);
        }
        catch (Exception e) when (Unavailability.Covers(e))
        {
            throw new HubException("unavailable: a part of Pulse is not available. Try again in a few seconds; the connection stays.");
        }
    }
}
