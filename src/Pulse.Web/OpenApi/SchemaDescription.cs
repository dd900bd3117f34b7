using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;
using Pulse.Web.Conversations;

namespace Pulse.Web.OpenApi;

/// <summary>Completes schemas by what the serializer does beyond its types.</summary>
internal sealed class SchemaDescription : IOpenApiSchemaTransformer
{
    public Task TransformAsync(OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken cancellationToken)
    {
        var type = context.JsonTypeInfo;
        // Converters hide the type of a time, and the framework admits numbers as strings, which Pulse neither reads nor writes.
        if ((Nullable.GetUnderlyingType(type.Type) ?? type.Type) == typeof(DateTimeOffset))
            schema.Type = JsonSchemaType.String | (type.Type == typeof(DateTimeOffset) ? 0 : JsonSchemaType.Null);
        if (schema.Type is { } kind && kind.HasFlag(JsonSchemaType.Integer)) (schema.Type,
            schema.Pattern) = (kind & ~JsonSchemaType.String, null);

        if (type.Type == typeof(EntryResponse)) DescribeEntry(schema);
        else if (type.Type == typeof(EntryResponse[])) DescribeEntry((OpenApiSchema)(schema.Items = new OpenApiSchema()));
        else if (type.Type == typeof(ProblemDetails)) DescribeProblem(schema);
        else if (type.Kind == JsonTypeInfoKind.Object && schema.Properties is { Count: > 0 })
        {
            if (type.Type.Name.EndsWith("Request", StringComparison.Ordinal)) DescribeRequest(schema, type);
            // An answer has all its members, except those that are left out while they are null.
            else schema.Required = type.Properties.Where(IsAlwaysWritten).Select(property => property.Name).ToHashSet();
        }

        return Task.CompletedTask;
    }

    // The routes refuse unknown members, and accept null for every member that may be missing.
    private static void DescribeRequest(OpenApiSchema schema, JsonTypeInfo type)
    {
        schema.AdditionalPropertiesAllowed = false;
        schema.Required = type.Properties.Where(property =>
            property.AttributeProvider?.IsDefined(typeof(RequiredAttribute), inherit: true) == true)
            .Select(property => property.Name).ToHashSet();
        foreach (var needed in schema.Required.Select(name => schema.Properties![name])
            .OfType<OpenApiSchema>()) needed.Type &= ~JsonSchemaType.Null;
    }

    private static bool IsAlwaysWritten(JsonPropertyInfo property) =>
        property.AttributeProvider?.GetCustomAttributes(typeof(JsonIgnoreAttribute), inherit: true) is not [JsonIgnoreAttribute, ..];

    private static void DescribeEntry(OpenApiSchema schema)
    {
        schema.Type = JsonSchemaType.Object;
        schema.Description = "One item of a conversation's log. Each kind has further members: see docs/chat.md, \"Entries\". Ignore unknown kinds, but count them.";
        schema.Required = new HashSet<string> { "seq", "kind", "senderId", "sentAt" };
        schema.Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["seq"] = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int64" },
            ["kind"] = new OpenApiSchema { Type = JsonSchemaType.String },
            ["senderId"] = new OpenApiSchema { Type = JsonSchemaType.String, Format = "uuid" },
            ["sentAt"] = new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time" },
        };
    }

    private static void DescribeProblem(OpenApiSchema schema)
    {
        schema.Description = "An error (RFC 9457). Rely on 'type' and 'status', never on the texts.";
        schema.Required = new HashSet<string> { "type", "title", "status", "detail", "traceId" };
        schema.Properties = new Dictionary<string, IOpenApiSchema>
        {
            ["type"] = new OpenApiSchema { Type = JsonSchemaType.String,
                Description = "urn:pulse:problem: and the code. New codes may be added." },
            ["title"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "The same for each occurrence of a code." },
            ["status"] = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32", Description = "The HTTP status." },
            ["detail"] = new OpenApiSchema { Type = JsonSchemaType.String, Description = "The remedy." },
            ["traceId"] = new OpenApiSchema { Type = JsonSchemaType.String,
                Description = "The id by which an operator finds the request." },
            ["errors"] = new OpenApiSchema
            {
                Type = JsonSchemaType.Object,
                Description = "Only for faults of input: the messages for each member or parameter.",
                AdditionalProperties = new OpenApiSchema { Type = JsonSchemaType.Array,
                    Items = new OpenApiSchema { Type = JsonSchemaType.String } },
            },
        };
    }
}
