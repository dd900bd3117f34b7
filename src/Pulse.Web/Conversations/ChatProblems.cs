using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Pulse.Conversations;
using Pulse.Web.Http;
using Pulse.Web.Tokens;

namespace Pulse.Web.Conversations;

/// <summary>A call to the chat that is refused. Endpoints answer it as problem details, the hub as an error that begins with the same code.</summary>
/// <param name="problem">Which refusal.</param>
/// <param name="detail">What exactly is refused; otherwise the general advice.</param>
/// <param name="retryAfter">Seconds until a retry can succeed; 0 where waiting does not help.</param>
/// <param name="conversationId">The conversation, if the call is about one.</param>
internal sealed class ChatRefusedException(ProblemType problem, string? detail = null, int retryAfter = 0, Guid? conversationId = null)
    : Exception(detail ?? problem.Advice)
{
    /// <summary>Which refusal.</summary>
    public ProblemType Problem => problem;

    /// <summary>Seconds until a retry can succeed; 0 where waiting does not help.</summary>
    public int RetryAfter => retryAfter;

    /// <summary>The conversation, if the call is about one.</summary>
    public Guid? ConversationId => conversationId;

    /// <summary>The refusal as the hub's clients read it.</summary>
    public string ToHubText() => $"{problem.Name}: {Message}";
}

/// <summary>Translates what conversations answer into problems.</summary>
internal static class ChatProblems
{
    /// <summary>The kind of problem of an error.</summary>
    public static ProblemType For(ConversationError error) => error switch
    {
        ConversationError.NotFound => ProblemTypes.ConversationNotFound,
        ConversationError.NotAMember => ProblemTypes.NotAMember,
        ConversationError.ReadOnly => ProblemTypes.ReadOnly,
        ConversationError.NotYours => ProblemTypes.NotYours,
        ConversationError.Closed => ProblemTypes.Closed,
        ConversationError.CannotMessage => ProblemTypes.CannotMessage,
        ConversationError.LastOwner => ProblemTypes.LastOwner,
        ConversationError.NotForDirect => ProblemTypes.NotForDirect,
        ConversationError.ClientIdReused => ProblemTypes.ClientIdReused,
        ConversationError.PredecessorMissing => ProblemTypes.PredecessorMissing,
        ConversationError.EditConflict => ProblemTypes.EditConflict,
        ConversationError.TooManyMembers => ProblemTypes.TooManyMembers,
        ConversationError.TooManyMessages => ProblemTypes.TooManyMessages,
        ConversationError.Unavailable => ProblemTypes.ChatUnavailable,
        ConversationError.UnknownOutcome => ProblemTypes.UnknownOutcome,
        _ => ProblemTypes.InvalidArgument,
    };

    /// <summary>Throws unless the error is none.</summary>
    /// <exception cref="ChatRefusedException">The call is refused.</exception>
    public static void ThrowIfRefused(ConversationError error, Guid? conversationId, string? detail = null, int retryAfter = 0)
    {
        if (error == ConversationError.None) return;
        var problem = For(error);
        throw new ChatRefusedException(problem, detail, problem.Status == StatusCodes.Status503ServiceUnavailable ? 1 : retryAfter, conversationId);
    }

    /// <summary>The refusal as an endpoint's answer.</summary>
    public static ProblemHttpResult Answer(HttpContext context, ChatRefusedException refused)
    {
        if (refused.RetryAfter > 0) context.Response.Headers.RetryAfter = refused.RetryAfter.ToString(CultureInfo.InvariantCulture);
        return refused.Problem.ToResult(refused.Message);
    }
}

/// <summary>Answers the refusals of all routes of a group.</summary>
internal sealed class ChatRefusalFilter(ChannelAccess channels) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        http.Response.Headers.CacheControl = "no-store";
        try
        {
            return await ChatDeadline.RunAsync(context, next);
        }
        catch (ChatRefusedException refused)
        {
            // Outside of the route, which may go on after the deadline, when this context belongs to another request.
            var user = context.Arguments.OfType<SignedInUser>().Single();
            return ChatProblems.Answer(http, await channels.HideAsync(refused, user.Id, http.RequestAborted).WaitAsync(http));
        }
    }
}
