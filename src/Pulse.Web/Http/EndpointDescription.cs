namespace Pulse.Web.Http;

/// <summary>Error answers of a route, which its signature does not show.</summary>
internal sealed record DescribedProblems(IReadOnlyList<ProblemType> Types);

/// <summary>A way to authenticate that is no authentication scheme of the framework.</summary>
internal sealed record DescribedSecurity(string Scheme)
{
    /// <summary>The key of the operators.</summary>
    public const string AdminKey = "adminKey";
}

/// <summary>A JSON body that the route reads itself.</summary>
/// <remarks>
/// The framework's own metadata would also make routing answer 415, before authentication and also to content types that
/// <see cref="RequestBody"/> accepts.
/// </remarks>
internal sealed record DescribedBody(Type Type, bool IsRequired);

/// <summary>The fields of a form that the route reads itself.</summary>
internal sealed record DescribedForm(IReadOnlyList<string> Fields);

/// <summary>The rules for a parameter that a route checks itself.</summary>
/// <param name="Name">Name on the wire.</param>
/// <param name="IsInPath">Whether the parameter is in the path. Otherwise it is in the query.</param>
/// <param name="Description">Effect, unit and default.</param>
internal sealed record DescribedParameter(string Name, bool IsInPath, string Description)
{
    /// <summary>Type of its JSON schema.</summary>
    public string Type { get; init; } = "string";

    /// <summary>Format of its JSON schema.</summary>
    public string? Format { get; init; }

    /// <summary>Minimum of a number.</summary>
    public long? Min { get; init; }

    /// <summary>Maximum of a number.</summary>
    public long? Max { get; init; }

    /// <summary>Default of a number.</summary>
    public long? Default { get; init; }

    /// <summary>Maximum number of items of a comma-separated list. <see langword="null"/> for a single value.</summary>
    public int? MaxItems { get; init; }

    /// <summary>Whether the request must have it.</summary>
    public bool IsRequired { get; init; }
}

/// <summary>What the API document needs to know of a route beyond its signature.</summary>
internal static class EndpointDescription
{
    /// <summary>Adds error answers. Those of authentication, reading a body and unavailable parts are added to every route by itself.</summary>
    public static TBuilder Refuses<TBuilder>(this TBuilder endpoint, params ProblemType[] problems)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new DescribedProblems(problems));

    /// <summary>Describes the JSON body.</summary>
    public static TBuilder Reads<TBuilder>(this TBuilder endpoint, Type body, bool isRequired = true)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new DescribedBody(body, isRequired));

    /// <summary>Describes a form.</summary>
    public static TBuilder ReadsForm<TBuilder>(this TBuilder endpoint, params string[] fields)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new DescribedForm(fields));

    /// <summary>Describes a parameter of the query.</summary>
    public static TBuilder Query<TBuilder>(this TBuilder endpoint, string name, string description)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new DescribedParameter(name, IsInPath: false, description));

    /// <summary>Describes a parameter of the query that is a whole number.</summary>
    public static TBuilder QueryNumber<TBuilder>(this TBuilder endpoint, string name, string description, long min, long? max = null,
        long? @default = null)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new DescribedParameter(name, IsInPath: false, description) { Type = "integer", Format = "int64", Min = min,
            Max = max, Default = @default });

    /// <summary>Describes a parameter of the query that is a UUID.</summary>
    public static TBuilder QueryId<TBuilder>(this TBuilder endpoint, string name, string description)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new DescribedParameter(name, IsInPath: false, description) { Format = "uuid" });

    /// <summary>Describes a parameter of the query that is true or false.</summary>
    public static TBuilder QueryBoolean<TBuilder>(this TBuilder endpoint, string name, string description)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new DescribedParameter(name, IsInPath: false, description) { Type = "boolean" });

    /// <summary>Describes a required parameter of the query that is a comma-separated list.</summary>
    public static TBuilder QueryList<TBuilder>(this TBuilder endpoint, string name, string description, int maxItems, string? format = null)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new DescribedParameter(name, IsInPath: false, description) { MaxItems = maxItems, Format = format,
            IsRequired = true });

    /// <summary>Describes a parameter of the path. Routes without it ignore the description.</summary>
    public static TBuilder Path<TBuilder>(this TBuilder endpoint, string name, string description)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new DescribedParameter(name, IsInPath: true, description));

    /// <summary>As <see cref="Path"/>, for a UUID.</summary>
    public static TBuilder PathId<TBuilder>(this TBuilder endpoint, string name, string description)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new DescribedParameter(name, IsInPath: true, description) { Format = "uuid" });

    /// <summary>As <see cref="Path"/>, for a whole number.</summary>
    public static TBuilder PathNumber<TBuilder>(this TBuilder endpoint, string name, string description, long min)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new DescribedParameter(name, IsInPath: true, description) { Type = "integer", Format = "int64", Min = min });
}
