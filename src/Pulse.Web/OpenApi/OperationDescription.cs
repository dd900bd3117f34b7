using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.OpenApi;
using Pulse.Web.Http;
using Pulse.Web.Sessions;
using Pulse.Web.Tokens;

namespace Pulse.Web.OpenApi;

/// <summary>Adds to each operation its parameters' rules, its limits, its ways to authenticate and all its error answers.</summary>
internal sealed class OperationDescription : IOpenApiOperationTransformer
{
    public async Task TransformAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context,
        CancellationToken cancellationToken)
    {
        var route = new Route(context.Description.ActionDescriptor.EndpointMetadata);
        operation.OperationId = IdOf(context.Description.HttpMethod!, context.Description.RelativePath!);
        foreach (var parameter in route.All<DescribedParameter>()) Describe(operation, parameter);
        if (route.All<DescribedBody>().LastOrDefault() is { } body)
        {
            context.Document!.AddComponent(body.Type.Name, await context.GetOrCreateSchemaAsync(body.Type, null, cancellationToken));
            AddBody(operation, route, "application/json", new OpenApiSchemaReference(body.Type.Name, context.Document), body.IsRequired);
        }

        if (route.All<DescribedForm>().LastOrDefault() is { } form) AddBody(operation, route, "application/x-www-form-urlencoded",
            SchemaOf(form), isRequired: true);
        if (operation.Responses is { } answers && answers.TryGetValue("201", out var created) && created is OpenApiResponse answer)
        {
            answer.Headers ??= new Dictionary<string, IOpenApiHeader>();
            answer.Headers["Location"] = new OpenApiHeader { Description = "The address of the new object.",
                Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
        }

        if (route.Schemes.Count > 0)
            operation.Security = [.. route.Schemes.Select(scheme =>
                new OpenApiSecurityRequirement { [new(scheme, context.Document)] = [] })];

        var problem = await context.GetOrCreateSchemaAsync(typeof(ProblemDetails), null, cancellationToken);
        context.Document!.AddComponent(Problems.SchemaName, problem);
        foreach (var status in route.Problems(context.Description.HttpMethod!).Distinct().GroupBy(type => type.Status)
            .OrderBy(group => group.Key))
            Add(operation, status.Key, status, context.Document);
    }

    /// <summary>The operation's id, of letters and underscores, because generated clients name methods after it.</summary>
    public static string IdOf(string method, string path) =>
        $"{method.ToLowerInvariant()}_{string.Join('_', path.Split(['/', '{', '}', '.', '-', ':'], StringSplitOptions.RemoveEmptyEntries))}";

    /// <summary>Adds the problems of one status to an operation's answers.</summary>
    public static void Add(OpenApiOperation operation, int status, IEnumerable<ProblemType> problems, OpenApiDocument document)
    {
        var key = status.ToString(CultureInfo.InvariantCulture);
        operation.Responses ??= [];
        if (!operation.Responses.TryGetValue(key,
            out var known) || known is not OpenApiResponse response) operation.Responses[key] = response = new();
        response.Description = string.Join("\n", problems.Select(problem => $"- `{problem.Name}`: {problem.Title}"));
        response.Content ??= new Dictionary<string, OpenApiMediaType>();
        response.Content["application/problem+json"] = new()
        {
            Schema = new OpenApiSchemaReference(Problems.SchemaName, document),
            Examples = problems.ToDictionary(Problems.KeyOf, problem => Problems.Example(problem, document)),
        };
        if (status is StatusCodes.Status429TooManyRequests or StatusCodes.Status503ServiceUnavailable)
        {
            response.Headers = new Dictionary<string, IOpenApiHeader>
            {
                ["Retry-After"] = new OpenApiHeader { Description = "Seconds until a retry can succeed.",
                    Schema = new OpenApiSchema { Type = JsonSchemaType.Integer } },
            };
        }
    }

    private static void AddBody(OpenApiOperation operation, Route route, string contentType, IOpenApiSchema schema, bool isRequired)
    {
        var body = operation.RequestBody as OpenApiRequestBody ?? new() { Content = new Dictionary<string, OpenApiMediaType>() };
        operation.RequestBody = body;
        body.Description = $"At most {route.MaxBodyBytes / 1024} KB.";
        body.Required = isRequired;
        body.Content![contentType] = new() { Schema = schema };
    }

    private static OpenApiSchema SchemaOf(DescribedForm form) => new()
    {
        Type = JsonSchemaType.Object,
        Properties = form.Fields.ToDictionary(field => field, _ => (IOpenApiSchema)new OpenApiSchema { Type = JsonSchemaType.String }),
    };

    private static void Describe(OpenApiOperation operation, DescribedParameter rules)
    {
        operation.Parameters ??= [];
        var parameter = operation.Parameters.OfType<OpenApiParameter>().FirstOrDefault(known => known.Name == rules.Name);
        if (parameter is null)
        {
            if (rules.IsInPath) return;
            operation.Parameters.Add(parameter = new() { Name = rules.Name, In = ParameterLocation.Query });
        }

        parameter.Description = rules.Description;
        parameter.Required = rules.IsInPath || rules.IsRequired;
        var value = new OpenApiSchema
        {
            Type = rules.Type switch { "integer" => JsonSchemaType.Integer, "boolean" => JsonSchemaType.Boolean, _ =>
                JsonSchemaType.String },
            Format = rules.Format,
            Minimum = rules.Min?.ToString(CultureInfo.InvariantCulture),
            Maximum = rules.Max?.ToString(CultureInfo.InvariantCulture),
            Default = rules.Default is { } number ? JsonValue.Create(number) : null,
        };
        parameter.Schema = rules.MaxItems is { } max ? new() { Type = JsonSchemaType.Array, Items = value, MinItems = 1, MaxItems = max }
            : value;
        if (rules.MaxItems is not null) (parameter.Style, parameter.Explode) = (ParameterStyle.Form, false);
    }

    /// <summary>What a route's metadata say.</summary>
    private sealed class Route(IList<object> metadata)
    {
        private readonly bool _needsCaller = metadata.OfType<IAuthorizeData>().Any() && !metadata.OfType<IAllowAnonymous>().Any();

        /// <summary>The names of the security schemes, each of which suffices.</summary>
        public IReadOnlyList<string> Schemes => !_needsCaller
            ? [.. All<DescribedSecurity>().Select(security => security.Scheme)]
            : [.. OwnSchemes().DefaultIfEmpty(SecuritySchemes.Bearer)];

        /// <summary>Maximum size of a body.</summary>
        public long MaxBodyBytes => All<IRequestSizeLimitMetadata>().LastOrDefault()?.MaxRequestBodySize ?? RequestBody.MaxBytes;

        public IEnumerable<T> All<T>() => metadata.OfType<T>();

        /// <summary>All error answers, except 405, which every path has for its other methods.</summary>
        public IEnumerable<ProblemType> Problems(string method)
        {
            foreach (var problem in All<DescribedProblems>().SelectMany(described => described.Types)) yield return problem;
            if (All<DescribedBody>().Any() || All<DescribedForm>().Any())
            {
                yield return ProblemTypes.BadRequest;
                yield return ProblemTypes.TooLarge;
                if (All<DescribedBody>().Any()) yield return ProblemTypes.UnsupportedMediaType;
            }

            if (_needsCaller)
            {
                yield return ProblemTypes.TokenMissing;
                if (Schemes.Contains(SecuritySchemes.Bearer))
                {
                    yield return ProblemTypes.TokenInvalid;
                    yield return ProblemTypes.UserDisabled;
                    yield return ProblemTypes.UserErased;
                }

                if (Schemes.Contains(SecuritySchemes.Cookie))
                {
                    yield return ProblemTypes.SignedOut;
                    if (!HttpMethods.IsGet(method)) yield return ProblemTypes.CrossSite;
                }

                if (All<MethodInfo>().SelectMany(handler => handler.GetParameters())
                    .Any(parameter => parameter.ParameterType == typeof(SignedInUser)))
                    yield return ProblemTypes.NotSynced;
            }

            if (All<EnableRateLimitingAttribute>().Any()) yield return ProblemTypes.TooManyRequests;
            yield return ProblemTypes.Internal;
            yield return ProblemTypes.Unavailable;
        }

        // A route without schemes of its own accepts both.
        private IEnumerable<string> OwnSchemes()
        {
            string[] named =
            [
                .. All<IAuthorizeData>().SelectMany(data => data.AuthenticationSchemes?.Split(',') ?? []),
                .. All<AuthorizationPolicy>().SelectMany(policy => policy.AuthenticationSchemes),
            ];
            if (named.Length == 0 || named.Contains(BearerHandler.Scheme)) yield return SecuritySchemes.Bearer;
            if (named.Length == 0 || named.Contains(SessionHandler.Scheme)) yield return SecuritySchemes.Cookie;
        }
    }
}
