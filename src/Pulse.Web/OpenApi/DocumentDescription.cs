using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.Options;
using Microsoft.OpenApi;
using Pulse.Web.Conversations;
using Pulse.Web.Http;
using Pulse.Web.Presence;

namespace Pulse.Web.OpenApi;

/// <summary>Adds what concerns all routes, and the routes that the framework does not describe: health and the hub.</summary>
internal sealed class DocumentDescription(IOptions<PathOptions> paths) : IOpenApiDocumentTransformer
{
    private static readonly string s_introduction =
        $"""
        Identity, presence and chat. The protocol of the hub `/hubs/pulse` is in docs/hub.md.

        **Errors** are problem details (RFC 9457) with a permanent `type`: `urn:pulse:problem:` and the code. Each operation lists
        its codes. Every path also answers `method-not-allowed` (405) to other methods, and unknown paths are `not-found` (404).

        **Limits.** A body has at most {RequestBody.MaxBytes / 1024} KB, for the chat {ChatInput.MaxBytes / 1024} KB. One user may look up
        {LookupLimit.PerSecond} user ids per second, {LookupLimit.AtOnce} after a pause. One user may send, edit, delete and react
        {ChatLimits.SendsPerSecond} times per second in all conversations. Above a limit the answer is 429 with Retry-After. Settings
        may lower or raise the other limits of the chat and of sign-in by mail.

        **Times** are ISO 8601 in UTC with three decimals. Clients must ignore unknown members of answers.
        """;

    public Task TransformAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new() { Title = "Pulse", Version = "1", Description = s_introduction,
            License = new() { Name = "MIT", Identifier = "MIT" } };
        document.Servers = [new() { Url = paths.Value.PathBase is { Length: > 0 } path ? path : "/" }];
        document.Components ??= new();
        document.Components.SecuritySchemes = SecuritySchemes.All();

        AddHealth(document, "/health/live", "Whether the process lives", "Restart the process when this fails.");
        AddHealth(document, "/health/ready", "Whether the process takes traffic",
            "A degraded part keeps the answer at 200, because unaffected functions still work.");
        AddHub(document);
        foreach (var operation in document.Paths.SelectMany(path => path.Value.Operations ?? []))
        {
            operation.Value.Responses!["default"] = new OpenApiResponse
            {
                Description = $"Any other error, such as `{ProblemTypes.MethodNotAllowed.Name}` ({ProblemTypes.MethodNotAllowed.Status}).",
                Content = new Dictionary<string, OpenApiMediaType>
                {
                    ["application/problem+json"] = new()
                    {
                        Schema = new OpenApiSchemaReference(Problems.SchemaName, document),
                        Examples = new Dictionary<string, IOpenApiExample>
                        {
                            [ProblemTypes.MethodNotAllowed.Name] = Problems.Example(ProblemTypes.MethodNotAllowed, document),
                        },
                    },
                },
            };
        }

        return Task.CompletedTask;
    }

    private static void AddHealth(OpenApiDocument document, string path, string summary, string description)
    {
        var status = new OpenApiSchema { Type = JsonSchemaType.String, Enum = ["healthy", "degraded", "unhealthy"] };
        var body = new OpenApiMediaType
        {
            Schema = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Required = new HashSet<string> { "status", "parts" },
                Properties = new Dictionary<string, IOpenApiSchema>
                {
                    ["status"] = status,
                    ["parts"] = new OpenApiSchema
                    {
                        Type = JsonSchemaType.Object,
                        Description = "Each part by name. Empty for requests that get no details.",
                        AdditionalProperties = new OpenApiSchema
                        {
                            Type = JsonSchemaType.Object,
                            Required = new HashSet<string> { "status" },
                            Properties = new Dictionary<string,
                                IOpenApiSchema> { ["status"] = status, ["reason"] = new OpenApiSchema { Type = JsonSchemaType.String } },
                        },
                    },
                },
            },
        };
        var operation = new OpenApiOperation
        {
            OperationId = OperationDescription.IdOf("GET", path), Summary = summary, Description = description,
            Tags = new HashSet<OpenApiTagReference> { new("Health", document) },
            Responses = new()
            {
                ["200"] = new OpenApiResponse { Description = "Healthy or degraded.", Content = new Dictionary<string,
                    OpenApiMediaType> { ["application/json"] = body } },
                ["503"] = new OpenApiResponse { Description = "Unhealthy.", Content = new Dictionary<string,
                    OpenApiMediaType> { ["application/json"] = body } },
            },
        };
        document.Paths[path] = new OpenApiPathItem { Operations = new Dictionary<HttpMethod,
            OpenApiOperation> { [HttpMethod.Get] = operation } };
        (document.Tags ??= new HashSet<OpenApiTag>()).Add(new() { Name = "Health" });
    }

    private static void AddHub(OpenApiDocument document)
    {
        AddHubRoute(document, "/hubs/pulse/negotiate", HttpMethod.Post, "Begins a hub connection", "200",
            "SignalR's transports and the id of the connection.");
        AddHubRoute(document, "/hubs/pulse", HttpMethod.Get, "Opens a hub connection", "101",
            "The WebSocket. docs/hub.md has its messages.");
        document.Tags!.Add(new() { Name = "Hub",
            Description = "SignalR. Errors of hub calls begin with the same codes as those of routes." });
    }

    private static void AddHubRoute(OpenApiDocument document, string path, HttpMethod method, string summary, string status, string answer)
    {
        var operation = new OpenApiOperation
        {
            OperationId = OperationDescription.IdOf(method.Method, path), Summary = summary,
            Description = "For a SignalR client. A client that reconnects names its former connection as `previous`.",
            Tags = new HashSet<OpenApiTagReference> { new("Hub", document) },
            Parameters =
            [
                new OpenApiParameter
                {
                    Name = "previous", In = ParameterLocation.Query, Description = "Id of the connection that this one replaces.",
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                },
            ],
            Security =
            [
                .. new[] { SecuritySchemes.Bearer, SecuritySchemes.Cookie, SecuritySchemes.HubTicket, SecuritySchemes.HubToken }
                    .Select(scheme => new OpenApiSecurityRequirement { [new(scheme, document)] = [] }),
            ],
            Responses = new() { [status] = new OpenApiResponse { Description = answer } },
        };
        ProblemType[] problems =
        [
            ProblemTypes.TokenMissing, ProblemTypes.TokenInvalid, ProblemTypes.TicketInvalid, ProblemTypes.SignedOut,
                ProblemTypes.CrossSite,
            ProblemTypes.TooManyRequests, ProblemTypes.Unavailable,
        ];
        foreach (var group in problems.GroupBy(problem => problem.Status)) OperationDescription.Add(operation, group.Key, group, document);
        document.Paths[path] = new OpenApiPathItem { Operations = new Dictionary<HttpMethod, OpenApiOperation> { [method] = operation } };
    }
}
