using Microsoft.AspNetCore.Http.Timeouts;
using Pulse.Web.Http;

namespace Pulse.Web.Conversations;

/// <summary>The time in which each request of the chat's routes is answered, its authentication included, whatever is unavailable.</summary>
internal static class ChatDeadline
{
    private const string Policy = "chat";

    private static readonly object s_begun = new();

    /// <summary>Adds the policy of the chat's routes.</summary>
    public static void AddChatDeadline(this IServiceCollection services) => services.AddRequestTimeouts(timeouts =>
        timeouts.AddPolicy(Policy, new RequestTimeoutPolicy
        {
            Timeout = ConversationCalls.Timeout + TimeSpan.FromMilliseconds(200), TimeoutStatusCode = StatusCodes.Status503ServiceUnavailable, WriteTimeoutResponse = AnswerAsync,
        }));

    /// <summary>Bounds the routes of a group, and documents what they answer then.</summary>
    public static void RequireChatDeadline(this IEndpointConventionBuilder group)
    {
        group.WithRequestTimeout(Policy);
        group.Refuses(ProblemTypes.ChatUnavailable);
        group.Add(route =>
        {
            if (!route.Metadata.OfType<HttpMethodMetadata>().All(method => method.HttpMethods.All(HttpMethods.IsGet)))
                route.Metadata.Add(new DescribedProblems([ProblemTypes.UnknownOutcome]));
        });
    }

    /// <summary>Runs a route. After the deadline its answer is of no use, and the route is left to itself.</summary>
    /// <exception cref="OperationCanceledException">The deadline has passed.</exception>
    public static async ValueTask<object?> RunAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        http.Items[s_begun] = true;
        return await next(context).AsTask().WaitAsync(http);
    }

    // A route that has begun may have changed something, unless it only reads.
    private static Task AnswerAsync(HttpContext context)
    {
        var problem = HttpMethods.IsGet(context.Request.Method) || !context.Items.ContainsKey(s_begun) ? ProblemTypes.ChatUnavailable : ProblemTypes.UnknownOutcome;

        // The request's own token is cancelled, and would cancel the answer too.
        context.RequestAborted = CancellationToken.None;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.Headers.RetryAfter = "1";
        return problem.WriteAsync(context);
    }
}
