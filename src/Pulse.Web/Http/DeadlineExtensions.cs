using Microsoft.AspNetCore.Http.Timeouts;

namespace Pulse.Web.Http;

/// <summary>Ends waits at the deadline of their request, where its route has one.</summary>
internal static class DeadlineExtensions
{
    /// <summary>Waits for a grain until the request's deadline.</summary>
    /// <exception cref="OperationCanceledException">The deadline has passed. The framework answers as the route's policy says.</exception>
    public static Task<T> WaitAsync<T>(this Task<T> task, HttpContext context) =>
        // The request's token is used instead of the feature's own, because the framework takes the cancellation of the latter for the client's
        // until it has cancelled the request's.
        context.Features.Get<IHttpRequestTimeoutFeature>() is null ? task : task.WaitAsync(context.RequestAborted);
}
