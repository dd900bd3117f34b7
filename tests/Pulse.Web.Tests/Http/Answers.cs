using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Pulse.Web.Tests.Http;

/// <summary>Sends JSON as text and reads answers as text, so that tests see the bytes of the wire.</summary>
internal static class Answers
{
    public static Task<HttpResponseMessage> PostJsonAsync(this HttpClient client, string path, string? json, string contentType = "application/json")
    {
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(json ?? ""));
        if (json is not null) content.Headers.ContentType = MediaTypeHeaderValue.Parse(contentType);
        return client.PostAsync(path, content);
    }

    /// <summary>The body of an answer that must have that status.</summary>
    public static async Task<JsonObject> ReadAsync(this HttpResponseMessage response, HttpStatusCode expected)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(expected == response.StatusCode, $"Expected {(int)expected}, got {(int)response.StatusCode}: {text}");
        return JsonNode.Parse(text)!.AsObject();
    }

    /// <summary>Checks that the answer is complete problem details of that kind, and returns them.</summary>
    public static async Task<JsonObject> ReadProblemAsync(this HttpResponseMessage response, HttpStatusCode expected, string kind)
    {
        var problem = await response.ReadAsync(expected);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal($"urn:pulse:problem:{kind}", (string?)problem["type"]);
        Assert.Equal((int)expected, (int?)problem["status"]);
        Assert.All(["title", "detail", "traceId"], member => Assert.False(string.IsNullOrEmpty((string?)problem[member]), $"{member} is missing"));
        Assert.Equal("nosniff", response.Headers.GetValues("X-Content-Type-Options").Single());
        return problem;
    }

    /// <summary>A 400 whose <c>errors</c> name exactly that member.</summary>
    public static async Task AssertInvalidAsync(this HttpResponseMessage response, string member)
    {
        var problem = await response.ReadProblemAsync(HttpStatusCode.BadRequest, "validation");
        Assert.Equal([member], problem["errors"]!.AsObject().Select(error => error.Key));
    }
}
