using Pulse.Web.Http;

namespace Pulse.Web.Conversations;

/// <summary>What several routes of the chat have in common in the API document.</summary>
internal static class ChatDescription
{
    /// <summary>Describes the page size.</summary>
    public static TBuilder Limit<TBuilder>(this TBuilder endpoint, int standard, int most) where TBuilder : IEndpointConventionBuilder =>
        endpoint.QueryNumber("limit", $"Page size. Default {standard}.", min: 1, max: most, @default: standard);

    /// <summary>Adds the refusals of every read of a conversation.</summary>
    public static TBuilder RefusesRead<TBuilder>(this TBuilder endpoint) where TBuilder : IEndpointConventionBuilder =>
        endpoint.Refuses(ProblemTypes.InvalidArgument, ProblemTypes.ConversationNotFound, ProblemTypes.NotAMember);

    /// <summary>Adds the refusals of every command to a conversation, and those of this one.</summary>
    public static TBuilder RefusesCommand<TBuilder>(this TBuilder endpoint, params ProblemType[] own)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.RefusesRead()
            .Refuses(ProblemTypes.Closed, ProblemTypes.TooManyMessages)
            .Refuses(own);
}
