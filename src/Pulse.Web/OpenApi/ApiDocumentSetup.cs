using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Microsoft.OpenApi;
using Pulse.Web.Http;
using Scalar.AspNetCore;

namespace Pulse.Web.OpenApi;

/// <summary>The OpenAPI document of this process's routes, and in Development a page to try them.</summary>
internal static class ApiDocumentSetup
{
    /// <summary>The path of the document.</summary>
    public const string Path = "/openapi/v1.json";

    /// <summary>The name under which the framework keeps the document.</summary>
    public const string Name = "v1";

    private const string PagePath = "/scalar";

    // The page's own script starts with inline code and writes inline styles. The policy applies to this page of Development only.
    private const string PagePolicy =
        "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
        "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>Adds the generation of the document.</summary>
    public static void AddApiDocument(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOpenApi(Name, document =>
        {
            document.OpenApiVersion = OpenApiSpecVersion.OpenApi3_1;
            document.AddSchemaTransformer<SchemaDescription>();
            document.AddOperationTransformer<OperationDescription>();
            document.AddDocumentTransformer<DocumentDescription>();
        });
        builder.Services.AddSingleton<ApiDocument>();
    }

    /// <summary>Maps the document, and in Development <c>/scalar</c>.</summary>
    public static void MapApiDocument(this WebApplication app)
    {
        app.MapGet(Path, ReadAsync).AllowAnonymous().WithTags("API").WithSummary("This document")
            .WithDescription("The document describes the routes of this process with its settings. It stays the same while the process runs.")
            .Produces<JsonObject>(StatusCodes.Status200OK, "application/json").Produces(StatusCodes.Status304NotModified);
        if (!app.Environment.IsDevelopment()) return;

        var pathBase = app.Services.GetRequiredService<IOptions<PathOptions>>().Value.PathBase;
        app.MapScalarApiReference(PagePath, page =>
        {
            page.Title = "Pulse API";
            page.OpenApiRoutePattern = pathBase + Path;
            // Everything comes from this process: the policy refuses fonts and calls of other hosts.
            page.DefaultFonts = false;
            page.Telemetry = false;
            page.ShowDeveloperTools = DeveloperToolsVisibility.Never;
            page.Agent = new() { Disabled = true };
            page.HideClientButton = true;
        }).AllowAnonymous().ExcludeFromDescription().AddEndpointFilter((invocation, next) =>
        {
            invocation.HttpContext.Response.Headers.ContentSecurityPolicy = PagePolicy;
            return next(invocation);
        });
    }

    private static async Task<IResult> ReadAsync(HttpContext context, ApiDocument document)
    {
        var (bytes, tag) = await document.ReadAsync();
        context.Response.Headers.CacheControl = "no-cache";
        return TypedResults.Bytes(bytes, "application/json", entityTag: tag);
    }
}

/// <summary>The document as bytes. It is generated for the first request, so that it delays no start.</summary>
internal sealed class ApiDocument([FromKeyedServices(ApiDocumentSetup.Name)] IOpenApiDocumentProvider documents)
{
    private readonly Lock _gate = new();
    private Task<(byte[] Bytes, EntityTagHeaderValue Tag)>? _document;

    /// <summary>The document and the tag of its content.</summary>
    public Task<(byte[] Bytes, EntityTagHeaderValue Tag)> ReadAsync()
    {
        lock (_gate) return _document is { IsFaulted: false } ? _document : _document = GenerateAsync();
    }

    // Ends independently of the first request, because others wait for the same document.
    private async Task<(byte[] Bytes, EntityTagHeaderValue Tag)> GenerateAsync()
    {
        var document = await documents.GetOpenApiDocumentAsync(CancellationToken.None);
        var bytes = Encoding.UTF8.GetBytes(await document.SerializeAsJsonAsync(OpenApiSpecVersion.OpenApi3_1,
            CancellationToken.None));
        return (bytes, new($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(..16))}\""));
    }
}
