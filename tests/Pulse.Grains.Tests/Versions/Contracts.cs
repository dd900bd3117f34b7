using System.Reflection;
using Orleans.Metadata;
using Pulse.Grains.Identity;
using Pulse.Users;

namespace Pulse.Grains.Tests.Versions;

/// <summary>The contracts between versions of Pulse that run side by side.</summary>
internal static class Contracts
{
    private static readonly Assembly[] s_assemblies = [typeof(IUserGrain).Assembly, typeof(KeyRingState).Assembly];

    private static IEnumerable<Type> Types => s_assemblies.SelectMany(assembly => assembly.GetTypes());

    /// <summary>All serialized types: messages, stored state, exceptions.</summary>
    public static Type[] Messages => [.. Types.Where(type => type.GetCustomAttribute<GenerateSerializerAttribute>() is not null).OrderBy(AliasOf, StringComparer.Ordinal)];

    /// <summary>The grain classes.</summary>
    public static Type[] Grains => [.. Types.Where(type => type.IsAssignableTo(typeof(Grain)) && !type.IsAbstract)];

    /// <summary>The state of grains in grain storage.</summary>
    public static Type[] States =>
    [
        .. from type in Types
           where type.IsAssignableTo(typeof(Grain))
           from constructor in type.GetConstructors()
           from parameter in constructor.GetParameters()
           where parameter.ParameterType.IsGenericType && parameter.ParameterType.GetGenericTypeDefinition() == typeof(IPersistentState<>)
           select parameter.ParameterType.GenericTypeArguments[0],
    ];

    public static string AliasOf(MemberInfo member) => member.GetCustomAttribute<AliasAttribute>()?.Alias ?? member.Name;

    /// <summary>Aliases, member ids and types, enum numbers and methods, then the grain types, one per line.</summary>
    public static string Describe(GrainTypeResolver grainTypes) =>
        string.Join('\n', DescribeMessages().Concat(DescribeEnums()).Concat(DescribeInterfaces()).Concat(DescribeGrains(grainTypes)));

    // Named by the grain's interfaces, because the class may be renamed.
    private static IEnumerable<string> DescribeGrains(GrainTypeResolver grainTypes) =>
        from type in Grains
        from contract in type.GetInterfaces().Where(contract => contract.Assembly == typeof(IUserGrain).Assembly)
        let line = $"grain {grainTypes.GetGrainType(type)} : {AliasOf(contract)}"
        orderby line
        select line;

    private static IEnumerable<string> DescribeMessages() =>
        Messages.SelectMany(type => MembersOf(type).Select(of => $"  {of.Id} {NameOf(of.Member.PropertyType)} {of.Member.Name}").Prepend(AliasOf(type)));

    private static IEnumerable<string> DescribeEnums() =>
        from type in Types
        where type.IsEnum && type.IsPublic
        orderby type.Name
        from line in Enum.GetNames(type).Select(name => $"  {Enum.Format(type, Enum.Parse(type, name), "d")} {name}")
            .Prepend($"enum {type.Name} : {Enum.GetUnderlyingType(type).Name}")
        select line;

    private static IEnumerable<string> DescribeInterfaces() => Types
        .Where(type => type.IsInterface && type.IsAssignableTo(typeof(IAddressable)))
        .OrderBy(AliasOf, StringComparer.Ordinal)
        .SelectMany(type => type.GetMethods().OrderBy(AliasOf, StringComparer.Ordinal).Select(DescribeMethod).Prepend(AliasOf(type)));

    private static string DescribeMethod(MethodInfo method) =>
        $"  {NameOf(method.ReturnType)} {AliasOf(method)}({string.Join(", ", method.GetParameters().Select(parameter => NameOf(parameter.ParameterType)))})";

    private static IEnumerable<(PropertyInfo Member, uint Id)> MembersOf(Type type) =>
        from member in type.GetProperties()
        let id = member.GetCustomAttribute<IdAttribute>()
        where id is not null
        orderby id.Id
        select (member, id.Id);

    private static string NameOf(Type type) =>
        type.IsGenericType ? $"{type.Name.Split('`')[0]}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>" : type.Name;
}
