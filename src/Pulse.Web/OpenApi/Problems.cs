using System.Text.Json.Nodes;
using Microsoft.OpenApi;
using Pulse.Web.Http;

namespace Pulse.Web.OpenApi;

/// <summary>Error answers in the document: one schema, and one example for each kind.</summary>
internal static class Problems
{
    /// <summary>The name of their schema.</summary>
    public const string SchemaName = "ProblemDetails";

    /// <summary>The name of a kind's example. Two kinds share a code, because the chat has its own texts for them.</summary>
    public static string KeyOf(ProblemType problem) =>
        problem == ProblemTypes.ConversationNotFound || problem == ProblemTypes.ChatUnavailable ? $"chat-{problem.Name}" : problem.Name;

    /// <summary>A reference to the kind's example, which it adds to the document.</summary>
    public static IOpenApiExample Example(ProblemType problem, OpenApiDocument document)
    {
        var key = KeyOf(problem);
        document.AddComponent(key, new OpenApiExample
        {
            Summary = problem.Title,
            Value = new JsonObject
            {
                ["type"] = problem.Type, ["title"] = problem.Title, ["status"] = problem.Status, ["detail"] = problem.Advice,
                ["traceId"] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            },
        });
        return new OpenApiExampleReference(key, document);
    }
}
