using Microsoft.AspNetCore.SignalR;
using Pulse.Web.Http;

namespace Pulse.Web.Connections;

/// <summary>
/// Answers a client that a part of Pulse is unavailable, as REST does with 503, and logs unexpected errors. Clients' own mistakes are not
/// logged: SignalR would log them as errors, with a stack trace each, so <c>appsettings.json</c> turns off its loggers of these.
/// </summary>
internal sealed partial class UnavailableFilter(ILogger<UnavailableFilter> logger) : IHubFilter
{
    public async ValueTask<object?> InvokeMethodAsync(HubInvocationContext invocation, Func<HubInvocationContext, ValueTask<object?>> next)
    {
        try
        {
            return await next(invocation);
        }
        catch (Exception e) when (TransientErrors.IsTransient(e))
        {
            LogUnavailable(invocation.HubMethodName, e.GetType().Name);
            throw new HubException("unavailable: a part of Pulse is not available. Retry in a few seconds. The connection stays open.");
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
        catch (Exception e) when (TransientErrors.IsTransient(e))
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

    // A cancellation because the client has disconnected is not a fault.
    private static bool IsFault(Exception exception, HubCallerContext context) =>
        exception is not HubException && !(exception is OperationCanceledException && context.ConnectionAborted.IsCancellationRequested);

    [LoggerMessage(2140, LogLevel.Error, "{HubMethod} failed.")]
    private partial void LogFault(Exception exception, string hubMethod);

    [LoggerMessage(2141, LogLevel.Debug, "{HubMethod} was answered that a part of Pulse is unavailable ({Reason}).")]
    private partial void LogUnavailable(string hubMethod, string reason);
}
