using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Pulse.Web.Tests.OpenApi;

/// <summary>Compares each request and answer that passes with the document.</summary>
internal sealed class DocumentedCalls(JsonObject document, HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private readonly List<(string Method, string Path, Regex Matches, JsonObject Operation)> _operations =
    [
        .. from path in document["paths"]!.AsObject()
           from operation in path.Value!.AsObject()
           let pattern = Regex.Replace(Regex.Escape(path.Key).Replace("\\{", "{", StringComparison.Ordinal), "{[^/]*}", "[^/]+")
           orderby path.Key.Count(letter => letter == '{')
           select (operation.Key, path.Key, new Regex($"^{pattern}$"), operation.Value!.AsObject()),
    ];

    /// <summary>The operations that have answered, as <c>get /path</c>.</summary>
    public HashSet<string> Seen { get; } = [];

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var (method, path, _, operation) = _operations.First(known =>
            known.Method.Equals(request.Method.Method, StringComparison.OrdinalIgnoreCase)
                && known.Matches.IsMatch(request.RequestUri!.AbsolutePath));
        if (request.Content is not null)
        {
            // A refused body may differ from its schema. An accepted one may not.
            var sent = JsonNode.Parse(await request.Content.ReadAsStringAsync(cancellationToken));
            var faults = new List<string>();
            Compare(sent, operation["requestBody"]!["content"]!["application/json"]!["schema"]!, "body", faults);
            var answer = await base.SendAsync(request, cancellationToken);
            Assert.True(answer.StatusCode == HttpStatusCode.BadRequest || faults.Count == 0,
                $"{method} {path} accepts {sent}: {string.Join(", ", faults)}");
            return await CheckAsync(method, path, operation, answer);
        }

        return await CheckAsync(method, path, operation, await base.SendAsync(request, cancellationToken));
    }

    private async Task<HttpResponseMessage> CheckAsync(string method, string path, JsonObject operation, HttpResponseMessage answer)
    {
        await answer.Content.LoadIntoBufferAsync();
        var text = await answer.Content.ReadAsStringAsync();
        var status = ((int)answer.StatusCode).ToString(CultureInfo.InvariantCulture);
        var described = operation["responses"]![status];
        Assert.True(described is not null, $"{method} {path} answers {status}, which the document lacks: {text}");
        Seen.Add($"{method} {path}");
        if (text == "") return answer;

        var type = answer.Content.Headers.ContentType!.MediaType!;
        var content = described["content"]?[type];
        Assert.True(content is not null, $"{method} {path} answers {status} with {type}, which the document lacks.");
        // The schema of the document is OpenAPI's own.
        if (path == "/openapi/v1.json") return answer;

        var faults = new List<string>();
        Compare(JsonNode.Parse(text), content["schema"]!, "answer", faults);
        Assert.True(faults.Count == 0, $"{method} {path} answers {text}: {string.Join(", ", faults)}");
        if (type == "application/problem+json")
        {
            var codes = content["examples"]!.AsObject().Select(example => (string?)Resolve(example.Value!)["value"]!["type"]);
            Assert.Contains((string?)JsonNode.Parse(text)!["type"], codes);
        }

        return answer;
    }

    private void Compare(JsonNode? value, JsonNode schema, string at, List<string> faults)
    {
        schema = Resolve(schema);
        if (schema["oneOf"] is JsonArray choices)
        {
            var attempts = choices.Select(choice =>
            {
                var found = new List<string>();
                Compare(value, choice!, at, found);
                return found;
            }).ToArray();
            if (attempts.All(found => found.Count > 0)) faults.AddRange(attempts.MinBy(found => found.Count)!);
            return;
        }

        string[] types = schema["type"] switch
        {
            JsonArray several => [.. several.Select(type => (string)type!)],
            { } one => [(string)one!],
            null => throw new InvalidOperationException($"The schema of {at} has no type: {schema}"),
        };
        var actual = value?.GetValueKind().ToString()
            .ToLowerInvariant() switch { null => "null", "true" or "false" => "boolean", "number" => "integer", var kind => kind };
        if (!types.Contains(actual)) faults.Add($"{at} is {actual}, not {string.Join(" or ", types)}");
        else if (value is JsonArray items)
        {
            foreach (var (index, item) in items.Index()) Compare(item, schema["items"]!, $"{at}[{index}]", faults);
        }
        else if (value is JsonObject members)
        {
            foreach (var required in schema["required"]?.AsArray() ?? [])
            {
                if (!members.ContainsKey((string)required!)) faults.Add($"{at}.{required} is missing");
            }

            foreach (var (name, member) in members)
            {
                if (schema["properties"]?[name] is { } property) Compare(member, property, $"{at}.{name}", faults);
                else if (schema["additionalProperties"] is JsonObject other) Compare(member, other, $"{at}.{name}", faults);
                // Entries have further members for each kind.
                else if (schema["properties"]?["sentAt"] is null || schema["properties"]?["kind"] is null) faults.Add($"{at}.{name} is not in the document");
            }
        }
    }

    private JsonNode Resolve(JsonNode node) => (string?)node["$ref"] is { } reference
        ? reference.Split('/').Skip(1).Aggregate((JsonNode)document, (part, name) => part[name]!)
        : node;
}
