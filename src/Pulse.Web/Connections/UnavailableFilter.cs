using Microsoft.AspNetCore.SignalR;
using Pulse.Web.Http;

namespace Pulse.Web.Connections;

/// <summary>
/// Tells a client that a part of Pulse is away, and not that something went wrong, as REST does with 503; and logs what did go wrong. Clients' own
/// mistakes are not logged: SignalR would as errors, with a stack each, so <c>appsettings.json</c> turns its loggers of these off.
/// </summary>
internal sealed partial class UnavailableFilter(ILogger<UnavailableFilter> logger) : IHubFilter
{
    public async ValueTask<object?> InvokeMethodAsync(HubInvocationContext invocation, Func<HubInvocationContext, ValueTask<object?>> next)
    {
        try
        {
            return await next(invocation);
        }
        catch (Exception e) when (Unavailability.Covers(e))
        {
            LogUnavailable(invocation.HubMethodName, e.GetType().Name);
            throw new HubException("unavailable: a part of Pulse is not available. Try again in a few seconds; the connection stays.");
        }
        catch (Exception e) when (IsFault(e, invocation.Context))
        {
            LogFault(e, invocation.HubMethodName);
            throw;
        }
    }

    public async Task OnConnectedAsync(HubLifetimeContext context, Func<HubLifetimeContext, Task> next)
    {
        try
        {
            await next(context);
        }
        catch (Exception e) when (Unavailability.Covers(e))
        {
            LogUnavailable(nameof(OnConnectedAsync), e.GetType().Name);
            throw;
        }
        catch (Exception e) when (IsFault(e, context.Context))
        {
            LogFault(e, nameof(OnConnectedAsync));
            throw;
        }
    }

    public async Task OnDisconnectedAsync(HubLifetimeContext context, Exception? exception, Func<HubLifetimeContext, Exception?, Task> next)
    {
        try
        {
            await next(context, exception);
        }
        catch (Exception e)
        {
            LogFault(e, nameof(OnDisconnectedAsync));
            throw;
        }
    }

    // What is cancelled because the client has gone is none.
    private static bool IsFault(Exception exception, HubCallerContext context) =>
        exception is not HubException && !(exception is OperationCanceledException && context.ConnectionAborted.IsCancellationRequested);

    [LoggerMessage(2140, LogLevel.Error, "{HubMethod} failed.")]
    private partial void LogFault(Exception exception, string hubMethod);

    [LoggerMessage(2141, LogLevel.Debug, "{HubMethod} was answered that a part of Pulse is away ({Reason}).")]
    private partial void LogUnavailable(string hubMethod, string reason);
}
