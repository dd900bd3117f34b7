using System.Collections;
using System.Diagnostics.Metrics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Tests.Pages;

namespace Pulse.Web.Tests.Contracts;

/// <summary>The names that clients, operators and stored data depend on, one per line and without any name of a C# type.</summary>
internal static partial class PublicContracts
{
    private static readonly Assembly s_web = typeof(Caller).Assembly;

    private static readonly Assembly[] s_assemblies =
        [s_web, Assembly.Load("Pulse.Silo"), Assembly.Load("Pulse.Grains"), Assembly.Load("Pulse.Grains.Interfaces")];

    /// <summary>All lines in ordinal order.</summary>
    public static string[] Describe(IServiceProvider services)
    {
        IEnumerable<string>[] groups =
            [Routes(services), HubMethods(), JsonBodies(), Problems(), Settings(), Instruments(), Exports(), Schemas()];
        return [.. groups.SelectMany(lines => lines).Distinct().Order(StringComparer.Ordinal)];
    }

    private static IEnumerable<string> Routes(IServiceProvider services) =>
        from endpoint in services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
        // The files of a library's page, which belongs to Development.
        where !endpoint.RoutePattern.RawText!.StartsWith("/scalar", StringComparison.Ordinal)
        let methods = endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["*"]
        from method in methods
        select $"route {method} /{endpoint.RoutePattern.RawText!.TrimStart('/')}";

    private static IEnumerable<string> HubMethods()
    {
        var hub = s_web.GetTypes().Single(type => typeof(Hub).IsAssignableFrom(type));
        var client = hub.BaseType!.GetGenericArguments()[0];
        const BindingFlags declared = BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly;
        return hub.GetMethods(declared).Where(method => method.GetBaseDefinition().DeclaringType == hub)
            .Select(method => $"hub {method.Name}({Parameters(method)}): {Shape(Awaited(method.ReturnType))}")
            .Concat(client.GetInterfaces().Append(client).SelectMany(part => part.GetMethods())
                .Select(method => $"hub event {method.Name}({Parameters(method)})"));
    }

    private static string Parameters(MethodInfo method) =>
        string.Join(", ", method.GetParameters().Select(parameter => Shape(parameter.ParameterType)));

    private static Type Awaited(Type type) => type.IsGenericType ? type.GetGenericArguments()[0] : type;

    // Only the members' names, because the classes may be renamed and moved between contexts.
    private static IEnumerable<string> JsonBodies() =>
        from context in s_web.GetTypes()
        where context.IsSubclassOf(typeof(JsonSerializerContext))
        let instance = (JsonSerializerContext)context.GetProperty("Default")!.GetValue(null)!
        from body in context.GetCustomAttributesData().Where(data => data.AttributeType == typeof(JsonSerializableAttribute))
        let type = (Type)body.ConstructorArguments[0].Value!
        let kind = instance.Options.UnmappedMemberHandling == JsonUnmappedMemberHandling.Disallow ? "request" : "response"
        select $"{kind} {Shape(instance.GetTypeInfo(type)!, instance)}";

    private static string Shape(JsonTypeInfo type, JsonSerializerContext context) => type.Kind switch
    {
        JsonTypeInfoKind.Object => Members(type.Properties.Select(property => (property.Name, Shape(property.PropertyType, context)))),
        JsonTypeInfoKind.Enumerable when type.ElementType is { } element => $"[{Shape(element, context)}]",
        _ => Shape(type.Type),
    };

    private static string Shape(Type type, JsonSerializerContext context) =>
        IsOwn(type) && context.GetTypeInfo(type) is { } known ? Shape(known, context) : Shape(type);

    private static string Shape(Type type)
    {
        if (type == typeof(void) || type == typeof(Task)) return "nothing";
        if (Nullable.GetUnderlyingType(type) is { } value) return Shape(value) + "?";
        if (type.IsArray) return $"[{Shape(type.GetElementType()!)}]";
        if (type.IsEnum) return string.Join("|", Enum.GetNames(type));
        return IsOwn(type)
            ? Members(type.GetProperties(BindingFlags.Instance | BindingFlags.Public)
                .Select(property => (CamelCase(property.Name), Shape(property.PropertyType))))
            : type.IsGenericType ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(Shape))}>" : type.Name;
    }

    private static string Members(IEnumerable<(string Name, string Shape)> members) =>
        $"{{ {string.Join(", ", members.Select(member => $"{member.Name}: {member.Shape}"))} }}";

    private static bool IsOwn(Type type) => IsOfPulse(type) || type is { IsArray: true } && IsOfPulse(type.GetElementType()!);

    private static bool IsOfPulse(Type type) => !type.IsEnum && type.Namespace?.StartsWith("Pulse", StringComparison.Ordinal) is true;

    private static string CamelCase(string name) => char.ToLowerInvariant(name[0]) + name[1..];

    private static IEnumerable<string> Problems() =>
        from type in s_web.GetTypes()
        from field in type.GetFields(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        where field.FieldType == typeof(ProblemType) && field.IsInitOnly
        let problem = (ProblemType)field.GetValue(null)!
        select $"problem {problem.Type} {problem.Status}";

    private static IEnumerable<string> Settings() =>
        from assembly in s_assemblies
        from type in assembly.GetTypes()
        let field = type.GetField("SectionName", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
        let section = field?.GetRawConstantValue() as string
        where section is not null
        from setting in Settings(type, section)
        select $"setting {setting}";

    private static IEnumerable<string> Settings(Type options, string section)
    {
        foreach (var property in options.GetProperties(BindingFlags.Instance | BindingFlags.Public))
        {
            var type = property.PropertyType;
            var isCollection = type != typeof(string) && typeof(IEnumerable).IsAssignableFrom(type);
            if (!property.GetMethod!.IsDefined(typeof(CompilerGeneratedAttribute))) continue; // Computed.
            var path = $"{section}:{property.Name}" + (isCollection ? ":*" : "");
            if (isCollection) type = type.IsArray ? type.GetElementType()! : type.GetGenericArguments()[^1];
            if (!IsOwn(type)) yield return $"{path} {Shape(type)}";
            else foreach (var child in Settings(type, path)) yield return child;
        }
    }

    private static List<string> Instruments()
    {
        var lines = new List<string>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, _) =>
            {
                if (instrument.Meter.Name.StartsWith("Pulse", StringComparison.Ordinal))
                    lines.Add($"metric {instrument.Meter.Name} {instrument.Name} {instrument.Unit}");
            },
        };
        listener.Start();
        return lines;
    }

    private static IEnumerable<string> Exports() =>
        from file in (string[])["index", "react"]
        let source = File.ReadAllText(Path.Combine(Checkout.Root, "clients/typescript/src", $"{file}.ts"))
        from match in Exported().Matches(source)
        let names = match.Groups["names"].Success ? match.Groups["names"].Value : match.Groups["name"].Value
        from name in names.Replace("type ", "", StringComparison.Ordinal).Split(',', StringSplitOptions.TrimEntries)
        where name != ""
        select $"export {file} {name}";

    private static IEnumerable<string> Schemas() =>
        from path in Directory.EnumerateFiles(Path.Combine(Checkout.Root, "sql"), "*.sql", SearchOption.AllDirectories)
        let statements = Spaces().Replace(Comments().Replace(File.ReadAllText(path), ""), " ").Trim()
        let hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(statements)))[..16]
        select $"schema {Path.GetRelativePath(Checkout.Root, path)} {hash}";

    [GeneratedRegex(
        @"^export (?:type )?(?:\{(?<names>[^}]*)\}|(?:async )?(?:class|function|interface|type|const|enum) (?<name>\w+))",
        RegexOptions.Multiline)]
    private static partial Regex Exported();

    [GeneratedRegex("--[^\n]*|/\\*.*?\\*/", RegexOptions.Singleline)]
    private static partial Regex Comments();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
