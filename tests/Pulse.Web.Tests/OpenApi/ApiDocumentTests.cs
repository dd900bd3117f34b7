using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.SignIn;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;
using Pulse.Web.Tests.Sessions;

namespace Pulse.Web.Tests.OpenApi;

/// <summary>Compares <c>/openapi/v1.json</c> with the routes, the problem types, the JSON types and real answers.</summary>
public sealed partial class ApiDocumentTests(ApiDocumentTests.Application pulse) : IClassFixture<ApiDocumentTests.Application>,
    IAsyncLifetime
{
    private const string Path = "/openapi/v1.json";

    private string _text = "";
    private JsonObject _document = [];

    /// <summary>Has every route: those of operators and of Development too.</summary>
    public sealed class Application()
        : PulseApplication([new("Pulse:Admin:Key", Admin.AdminPulse.Key), new("Pulse:Auth:DevSignIn", "true")]);

    public async Task InitializeAsync()
    {
        _text = await pulse.Anonymous.GetStringAsync(Path);
        _document = JsonNode.Parse(_text)!.AsObject();
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task Document_IsValid()
    {
        var read = await OpenApiDocument.LoadAsync(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(_text)), "json");

        Assert.Equal(OpenApiSpecVersion.OpenApi3_1, read.Diagnostic!.SpecificationVersion);
        Assert.Empty(read.Diagnostic.Errors.Select(error => $"{error.Pointer}: {error.Message}"));
        Assert.Empty(read.Diagnostic.Warnings.Select(warning => $"{warning.Pointer}: {warning.Message}"));
        var ids = Operations().Select(operation => (string)operation.Value["operationId"]!).ToArray();
        Assert.Equal(ids.Distinct(), ids);
        Assert.All(ids, id => Assert.Matches("^[a-zA-Z0-9_]+$", id));
    }

    [Fact]
    public void Routes_AreThoseOfTheApplication()
    {
        var endpoints = pulse.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is not { ExcludeFromDescription: true })
            .SelectMany(endpoint => (endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["*"])
                .Select(method => $"{method} {PathOf(endpoint)}"))
            // SignalR and the health checks accept any method, and document the one that their clients use.
            .Select(route => s_anyMethod.GetValueOrDefault(route, route)).ToHashSet();

        Assert.Equal(endpoints.Order(), Operations().Select(operation => $"{operation.Method.ToUpperInvariant()} {operation.Path}")
            .Order());
    }

    [Fact]
    public void ExcludedRoutes_ArePagesAndTheirForms()
    {
        var excluded = pulse.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IExcludeFromDescriptionMetadata>() is { ExcludeFromDescription: true })
            .Select(PathOf).Distinct();

        string[] pages = ["/", "/auth/confirm/email", "/chat", "/chat/people", "/auth/signin/dev", "/dashboard", "/dev/mail", "/example",
            "/manifest.webmanifest", "/scalar", "/signin"];
        Assert.DoesNotContain(excluded, path => !pages.Contains(path) && !path.StartsWith("/dashboard/", StringComparison.Ordinal)
            && !path.StartsWith("/scalar/", StringComparison.Ordinal));
    }

    [Fact]
    public void Problems_AreAllDocumented_WithTheirStatus()
    {
        var known = typeof(ProblemTypes).GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(field => field.FieldType == typeof(ProblemType)).Select(field => (ProblemType)field.GetValue(null)!)
            // Only a call of the hub is answered so, and docs/hub.md has it.
            .Where(problem => problem != ProblemTypes.TooManyOpen)
            .Select(problem => $"{problem.Status} {problem.Type} {problem.Title}").Distinct().Order();

        var documented = from operation in Operations()
                         from answer in operation.Value["responses"]!.AsObject()
                         from reference in answer.Value!["content"]?["application/problem+json"]?["examples"]?.AsObject()
                             .Select(example => example.Value!) ?? []
                         let example = _document["components"]!["examples"]![((string)reference["$ref"]!).Split('/')[^1]]!["value"]!
                         let status = answer.Key == "default" ? (int)example["status"]!
                             : int.Parse(answer.Key, CultureInfo.InvariantCulture)
                         select $"{status} {example["type"]} {example["title"]}";

        Assert.Equal(known, documented.Distinct().Order());
    }

    [Fact]
    public void RoutesWithADeadline_DocumentAnUnknownOutcome_UnlessTheyOnlyRead()
    {
        var withDeadline = pulse.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<RequestTimeoutAttribute>() is not null)
            .SelectMany(endpoint => endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods
                .Select(method => $"{method.ToLowerInvariant()} {PathOf(endpoint)}"))
            .Order().ToArray();

        var documented = Operations().Where(operation => Problems(operation.Value, "503").Contains("unknown-outcome"))
            .Select(operation => $"{operation.Method} {operation.Path}");
        Assert.Equal(withDeadline.Where(route => !route.StartsWith("get ", StringComparison.Ordinal)), documented.Order());
        Assert.Contains("put /users/{id}/block", withDeadline);
    }

    [Fact]
    public void HubRoutes_DocumentNoCodesOfHubCalls()
    {
        foreach (var operation in Operations().Where(operation => operation.Path.StartsWith("/hubs/", StringComparison.Ordinal)))
            Assert.Equal(["too-many-requests"], Problems(operation.Value, "429"));
    }

    [Fact]
    public void Schemas_AreThoseOfTheSerializers()
    {
        var schemas = _document["components"]!["schemas"]!.AsObject();
        var faults = new List<string>();
        foreach (var (type, context, isRequest) in Bodies())
        {
            if (schemas[type.Name] is not JsonObject schema)
            {
                faults.Add($"{type.Name} is missing");
                continue;
            }

            var members = context.GetTypeInfo(type)!.Properties.Select(property => property.Name).Order();
            if (!members.SequenceEqual(schema["properties"]!.AsObject().Select(property => property.Key).Order()))
                faults.Add($"{type.Name} has the members {string.Join(", ", members)}");
            if (isRequest != ((bool?)schema["additionalProperties"] == false)) faults.Add($"{type.Name}: unknown members are {(isRequest ? "" : "not ")}refused");
            faults.AddRange(from property in schema["properties"]!.AsObject()
                            where property.Value!["type"] is null && property.Value["$ref"] is null && property.Value["oneOf"] is null
                            select $"{type.Name}.{property.Key} has no type");
        }

        Assert.Empty(faults);
    }

    [Fact]
    public void Descriptions_AreThere_AndNameNoTypesOfTheCode()
    {
        var operations = Operations().Where(operation => string.IsNullOrEmpty((string?)operation.Value["summary"]))
            .Select(operation => $"{operation.Method} {operation.Path}");
        var parameters = from operation in Operations()
                         from parameter in operation.Value["parameters"]?.AsArray() ?? []
                         where string.IsNullOrEmpty((string?)parameter!["description"])
                         select $"{operation.Method} {operation.Path} {parameter["name"]}";
        var members = from schema in _document["components"]!["schemas"]!.AsObject()
                      where schema.Value!["properties"] is not null
                      from property in schema.Value!["properties"]!.AsObject()
                      let text = (string?)property.Value!["description"]
                      where text?.StartsWith("See ", StringComparison.Ordinal) == true || (text is null && property.Value["$ref"] is null
                          && property.Value["oneOf"] is null
                          && !schema.Key.StartsWith("Published", StringComparison.Ordinal))
                      select $"{schema.Key}.{property.Key}: {text}";

        Assert.Empty(operations.Concat(parameters).Concat(members));
    }

    [Fact]
    public async Task Answers_AreAsDocumented()
    {
        using var calls = new DocumentedCalls(_document, new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
        var (ada, adaId) = await SignInAsync(calls, "ada");
        var (bob, bobId) = await SignInAsync(calls, "bob");
        using var anonymous = new HttpClient(calls, disposeHandler: false) { BaseAddress = pulse.Address };
        using var trusted = Client(calls,
            TestTokens.Hs256(TestTokens.Claims(PulseApplication.TrustedIssuer, "walk", "walk@example.com"), TestTokens.OtherKey));
        using var browser = await Browser.SignInAsync(pulse);
        using var session = new HttpClient(calls, disposeHandler: false) { BaseAddress = pulse.Address };
        session.DefaultRequestHeaders.Add("Cookie", $"pulse={browser.Cookie}");
        session.DefaultRequestHeaders.Add("Sec-Fetch-Site", "same-origin");
        using var @operator = Client(calls, Admin.AdminPulse.Key);

        // Users, sessions, keys, presence.
        await anonymous.GetAsync("/auth/me");
        await anonymous.GetAsync("/.well-known/jwks.json");
        await anonymous.GetAsync("/health/live");
        await anonymous.GetAsync("/health/ready");
        await anonymous.GetAsync(Path);
        await anonymous.PostAsJsonAsync("/auth/dev", new { email = "no address" });
        await anonymous.PostAsJsonAsync("/auth/signin/email", new { email = "walk@example.com", returnUrl = "/dashboard" });
        await anonymous.PostAsJsonAsync("/auth/signin/email", new { email = "no address" });
        await trusted.GetAsync("/auth/me");
        await trusted.PostAsJsonAsync("/auth/sync", new { name = "Walk", nickname = "unknown member" });
        await trusted.PostAsJsonAsync("/auth/sync", new { name = "Walk", avatar = "https://example.com/a.png" });
        await trusted.PostAsJsonAsync("/auth/sync", new { email = "walk@example.com" });
        await trusted.GetAsync("/users?subject=walk,nobody");
        await ada.GetAsync("/users?subject=walk");
        await ada.GetAsync("/auth/me");
        await ada.GetAsync($"/users/{bobId}");
        await ada.GetAsync("/users/no-id");
        await ada.GetAsync($"/users/{Guid.NewGuid()}");
        await ada.GetAsync($"/presence?ids={adaId},{bobId}");
        await ada.GetAsync("/presence");
        await ada.PostAsync("/auth/hub-ticket", null);
        await ada.DeleteAsync("/auth/me");
        await session.GetAsync("/auth/sessions");
        await session.PostAsync("/auth/token", null);
        await session.GetAsync("/auth/me/export");
        await session.GetAsync("/auth/accounts");
        await session.DeleteAsync("/auth/accounts/none");
        await session.DeleteAsync($"/auth/sessions/{Guid.NewGuid()}");
        await ada.PostAsync("/auth/signout", null);

        // Chat.
        await ada.PostAsJsonAsync("/conversations", new { kind = "unknown" });
        var direct = await IdAsync(ada.PostAsJsonAsync("/conversations",
            new { kind = "direct", members = new[] { bobId }, clientId = Guid.NewGuid() }));
        var group = await IdAsync(ada.PostAsJsonAsync(
            "/conversations", new { kind = "group", title = "Walk", members = new[] { bobId }, clientId = Guid.NewGuid(),
                newcomersSee = "all" }));
        var message = new { clientId = Guid.NewGuid(), text = "Hello", mentions = new[] { bobId }, read = 0 };
        await ada.PostAsJsonAsync($"/conversations/{group}/messages", message);
        var sent = await ada.PostAsJsonAsync($"/conversations/{group}/messages", message);
        var seq = (long)JsonNode.Parse(await sent.Content.ReadAsStringAsync())!["seq"]!;
        await ada.PostAsJsonAsync($"/conversations/{group}/messages", new { message.clientId, text = "Another" });
        await ada.PostAsJsonAsync($"/conversations/{direct}/messages", new { clientId = Guid.NewGuid(), text = new string('x', 9_000) });
        await ada.PostAsJsonAsync($"/conversations/{direct}/messages",
            new { clientId = Guid.NewGuid(), text = "Hello", replyTo = (long?)null });
        await ada.PatchAsJsonAsync($"/conversations/{group}/messages/{seq}", new { text = "Hello!", edited = 0 });
        await ada.PatchAsJsonAsync($"/conversations/{group}/messages/{seq}", new { text = "Hello?", edited = 0 });
        await bob.PutAsync($"/conversations/{group}/messages/{seq}/reactions/%F0%9F%91%8D", null);
        await bob.GetAsync($"/conversations/{group}/messages?limit=10");
        await bob.GetAsync($"/conversations/{group}/messages?limit=1000");
        await bob.GetAsync($"/conversations/{group}/entries?after=0");
        await bob.DeleteAsync($"/conversations/{group}/messages/{seq}/reactions/%F0%9F%91%8D");
        await bob.PutAsJsonAsync($"/conversations/{group}/read", new { seq });
        await bob.PatchAsJsonAsync($"/conversations/{group}", new { title = "Mine" });
        await ada.PatchAsJsonAsync($"/conversations/{group}", new { title = "Walks" });
        await ada.PatchAsJsonAsync($"/conversations/{direct}", new { title = "Walks" });
        await ada.DeleteAsync($"/conversations/{group}/messages/{seq}");
        await ada.GetAsync("/conversations?limit=10");
        await ada.GetAsync("/search?q=hello");
        await ada.GetAsync("/search");
        await ada.GetAsync("/channels");
        await ada.GetAsync($"/conversations/{direct}");
        await ada.GetAsync($"/conversations/{Guid.NewGuid()}");
        await ada.GetAsync($"/conversations/{group}/members");
        await ada.PutAsJsonAsync($"/conversations/{group}/members/{bobId}", new { role = "reader" });
        await ada.PutAsync($"/conversations/{group}/members/{Guid.NewGuid()}", null);
        await bob.PostAsJsonAsync($"/conversations/{group}/messages", new { clientId = Guid.NewGuid(), text = "Hello" });
        await bob.PutAsync($"/conversations/{group}/mute", null);
        await bob.DeleteAsync($"/conversations/{group}/mute");
        await bob.PutAsync($"/users/{adaId}/block", null);
        await ada.PostAsJsonAsync($"/conversations/{direct}/messages", new { clientId = Guid.NewGuid(), text = "Hello" });
        await bob.GetAsync("/users/blocked");
        await bob.DeleteAsync($"/users/{adaId}/block");
        await ada.DeleteAsync($"/conversations/{group}/members/{adaId}");
        await ada.DeleteAsync($"/conversations/{group}/members/{bobId}");
        await ada.DeleteAsync($"/conversations/{group}");
        await ada.PostAsJsonAsync($"/conversations/{group}/messages", new { clientId = Guid.NewGuid(), text = "Hello" });

        // Operators.
        await ada.GetAsync("/admin/users");
        await @operator.GetAsync("/admin/users");
        await @operator.GetAsync("/admin/users?id=no-id");
        await @operator.GetAsync($"/admin/users/{adaId}");
        await @operator.GetAsync($"/admin/users/{adaId}/export");
        await @operator.GetAsync($"/admin/users/{browser.UserId}/sessions");
        await @operator.GetAsync($"/admin/users/{adaId}/connections");
        await @operator.DeleteAsync($"/admin/users/{adaId}/connections/none");
        await @operator.DeleteAsync($"/admin/users/{adaId}/sessions/{Guid.NewGuid()}");
        await @operator.PostAsync("/admin/keys/rotate", null);
        await @operator.PostAsync($"/admin/users/{bobId}/disable", null);
        await bob.GetAsync("/auth/me");
        await @operator.PostAsync($"/admin/users/{bobId}/enable", null);
        await @operator.DeleteAsync($"/admin/users/{bobId}");
        await session.PostAsync("/auth/signout/everywhere", null);
        await session.GetAsync("/auth/me");

        // The hub's routes and the pages of sign-in have tests of their own.
        var others = Operations().Select(operation => $"{operation.Method} {operation.Path}").Except(calls.Seen);
        Assert.DoesNotContain(others, route => !route.Contains("/hubs/", StringComparison.Ordinal)
            && !route.Contains("/auth/callback/", StringComparison.Ordinal)
            && !route.Contains("/auth/signin/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Document_IsCachedByItsTag()
    {
        using var first = await pulse.Anonymous.GetAsync(Path);
        using var request = new HttpRequestMessage(HttpMethod.Get, Path) { Headers = { IfNoneMatch = { first.Headers.ETag! } } };
        using var second = await pulse.Anonymous.SendAsync(request);

        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Equal("no-cache", second.Headers.CacheControl!.ToString());
    }

    [Fact]
    public async Task Page_LoadsFromThisSiteOnly_AndKeepsItsPolicyToItself()
    {
        using var page = await pulse.Anonymous.GetAsync("/scalar");
        var html = await page.Content.ReadAsStringAsync();
        var sources = Source().Matches(html).Select(match => match.Groups[1].Value).ToArray();

        Assert.NotEmpty(sources);
        Assert.All(sources, source => Assert.DoesNotContain("//", source, StringComparison.Ordinal));
        foreach (var source in sources)
        {
            using var asset = await pulse.Anonymous.GetAsync($"/scalar/{source}");
            Assert.Equal(HttpStatusCode.OK, asset.StatusCode);
        }

        var policy = page.Headers.GetValues("Content-Security-Policy").Single();
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("http", policy, StringComparison.Ordinal);
        using var home = await pulse.Anonymous.SendAsync(new(HttpMethod.Get,
            "/") { Headers = { Accept = { new MediaTypeWithQualityHeaderValue("text/html") } } });
        Assert.DoesNotContain("unsafe-inline", home.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
    }

    private static readonly Dictionary<string, string> s_anyMethod = new()
    {
        ["* /health/live"] = "GET /health/live",
        ["* /health/ready"] = "GET /health/ready",
        ["* /hubs/pulse"] = "GET /hubs/pulse",
        ["* /hubs/pulse/negotiate"] = "POST /hubs/pulse/negotiate",
    };

    private static string PathOf(RouteEndpoint endpoint) => "/" + Constraint().Replace(endpoint.RoutePattern.RawText!, "}").Trim('/');

    private IEnumerable<(string Method, string Path, JsonNode Value)> Operations() =>
        from path in _document["paths"]!.AsObject()
        from operation in path.Value!.AsObject()
        select (operation.Key, path.Key, operation.Value!);

    private static IEnumerable<string> Problems(JsonNode operation, string status) =>
        operation["responses"]![status]?["content"]?["application/problem+json"]?["examples"]?.AsObject().Select(example => example.Key) ?? [];

    // All bodies of the front end, except cookies, the data of the page /chat, and problems, which have a test of their own.
    private static IEnumerable<(Type Type, JsonSerializerContext Context, bool IsRequest)> Bodies() =>
        from type in typeof(Caller).Assembly.GetTypes()
        where type.IsSubclassOf(typeof(JsonSerializerContext))
        let context = (JsonSerializerContext)type.GetProperty("Default")!.GetValue(null)!
        from data in type.GetCustomAttributesData().Where(data => data.AttributeType == typeof(JsonSerializableAttribute))
        let root = (Type)data.ConstructorArguments[0].Value!
        let body = root.IsArray ? root.GetElementType()! : root
        where !typeof(ProblemDetails).IsAssignableFrom(body) && body != typeof(AskedMail) && body.Namespace != "Pulse.Web.Chat"
        select (body, context, context.Options.UnmappedMemberHandling == JsonUnmappedMemberHandling.Disallow);

    private async Task<(HttpClient Client, Guid Id)> SignInAsync(DocumentedCalls calls, string name)
    {
        using var anonymous = new HttpClient(calls, disposeHandler: false) { BaseAddress = pulse.Address };
        using var token = await anonymous.PostAsJsonAsync("/auth/dev", new { email = $"{name}@walk.example", name });
        var client = Client(calls, (string)(await token.ReadAsync(HttpStatusCode.OK))["accessToken"]!);
        using var me = await client.GetAsync("/auth/me");
        return (client, (Guid)(await me.ReadAsync(HttpStatusCode.OK))["id"]!);
    }

    private HttpClient Client(DocumentedCalls calls, string token)
    {
        var client = new HttpClient(calls, disposeHandler: false) { BaseAddress = pulse.Address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    private static async Task<Guid> IdAsync(Task<HttpResponseMessage> created) =>
        (Guid)(await (await created).ReadAsync(HttpStatusCode.Created))["id"]!;

    [GeneratedRegex(@":\w+\}")]
    private static partial Regex Constraint();

    [GeneratedRegex("(?:src|href)=\"([^\"]+)\"")]
    private static partial Regex Source();
}
