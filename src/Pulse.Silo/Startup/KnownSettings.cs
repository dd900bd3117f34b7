using System.Collections;
using System.Reflection;

namespace Pulse.Silo.Startup;

/// <summary>The names of all <c>Pulse:*</c> settings: the options classes of this program, each with its <c>SectionName</c>.</summary>
/// <remarks>A misspelt setting would be ignored although its author relies on it.</remarks>
internal static class KnownSettings
{
    public const string Root = "Pulse";

    private const int MaxDistance = 3;

    // Settings that are read directly, without a class.
    private static readonly string[] s_single = ["DataDirectory", "Demo", "PublicUrl", "Silo"];

    private static readonly Lazy<(Type Type, string Section)[]> s_sections = new(() =>
    [
        .. from assembly in AppDomain.CurrentDomain.GetAssemblies()
           where assembly.GetName().Name is "Pulse.Grains.Interfaces" or "Pulse.Grains" or "Pulse.Silo" or "Pulse.Web"
           from type in assembly.GetTypes()
           let field = type.GetField("SectionName", BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic)
           where field?.IsLiteral is true
           let section = field.GetRawConstantValue() as string
           where section?.StartsWith($"{Root}:", StringComparison.Ordinal) is true
           select (type, section),
    ]);

    /// <summary>The section of an options class.</summary>
    public static string? SectionOf(Type options) => Array.Find(s_sections.Value, section => section.Type == options).Section;

    /// <summary>One line for each unused name.</summary>
    /// <remarks>
    /// A silo often gets the settings of front ends too, which are unknown to it, so it reports only names that resemble one of its own.
    /// </remarks>
    public static IEnumerable<string> Faults(IConfiguration configuration, string program)
    {
        var knowsAll = program != "Pulse.Silo";
        var root = new Node();
        foreach (var name in s_single) root.Children[name] = new();
        foreach (var (type, section) in s_sections.Value)
        {
            var node = root;
            foreach (var part in section.Split(':')[1..]) node = node.Children.TryGetValue(part, out var child) ? child : node.Children[part] = new();
            Describe(type, node);
        }

        // Former names that are still read.
        if (root.Children.TryGetValue("Mail", out var mail)) mail.Children["PublicUrl"] = new();

        return Faults(configuration.GetSection(Root), root, knowsAll);
    }

    private static IEnumerable<string> Faults(IConfigurationSection section, Node node, bool knowsAll)
    {
        // The binder would ignore it. The value may be a secret. PULSE itself may be a variable of a shell.
        if (section.Path != Root && !string.IsNullOrEmpty(section.Value) && node.Entry is { } entry) yield return $"{section.Path} has several values. Write {section.Path}:{entry} instead.";
        foreach (var child in section.GetChildren())
        {
            if (node.Any is { } any)
            {
                foreach (var fault in Faults(child, any, knowsAll)) yield return fault;
            }
            else if (node.Children.TryGetValue(child.Key, out var known))
            {
                foreach (var fault in Faults(child, known, knowsAll)) yield return fault;
            }
            else if (Nearest(child.Key, node.Children.Keys) is { } nearest)
            {
                yield return $"{child.Path} is no setting of Pulse. Did you mean {section.Path}:{nearest}?";
            }
            else if (knowsAll)
            {
                yield return $"{child.Path} is no setting of Pulse. Remove it; docs/settings.md has them all.";
            }
        }
    }

    private static void Describe(Type type, Node node)
    {
        foreach (var property in type.GetProperties(BindingFlags.Instance | BindingFlags.Public))
        {
            var isGroup = property.PropertyType.IsClass && property.PropertyType.Namespace?.StartsWith(Root, StringComparison.Ordinal) is true;
            if (property.SetMethod is null && !isGroup && !IsCollection(property.PropertyType)) continue; // Computed.
            var child = node.Children[property.Name] = new();
            if (isGroup)
            {
                Describe(property.PropertyType, child);
            }
            else if (IsCollection(property.PropertyType))
            {
                var item = property.PropertyType.IsArray ? property.PropertyType.GetElementType()! : property.PropertyType.GetGenericArguments()[^1];
                child.Any = new();
                child.IsList = property.PropertyType.IsArray || property.PropertyType.GetGenericArguments().Length == 1;
                if (item.Namespace?.StartsWith(Root, StringComparison.Ordinal) is true) Describe(item, child.Any);
            }
        }
    }

    private static bool IsCollection(Type type) => type != typeof(string) && typeof(IEnumerable).IsAssignableFrom(type);

    /// <summary>The most similar name, which was probably meant, or <see langword="null"/>.</summary>
    internal static string? Nearest(string name, IEnumerable<string> names) => names
        .Select(known => (Known: known, Distance: Distance(name.ToUpperInvariant(), known.ToUpperInvariant())))
        .Where(pair => pair.Distance <= Math.Min(MaxDistance, pair.Known.Length / 3))
        .OrderBy(pair => pair.Distance).Select(pair => pair.Known).FirstOrDefault();

    // Levenshtein's distance: the number of letters to add, drop or replace.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var (diagonal, left) = (row[0], row[0] = i);
            for (var j = 1; j <= b.Length; j++)
            {
                left = Math.Min(Math.Min(row[j], left) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1));
                (diagonal, row[j]) = (row[j], left);
            }
        }

        return row[^1];
    }

    private sealed class Node
    {
        public Dictionary<string, Node> Children { get; } = new(StringComparer.OrdinalIgnoreCase);

        /// <summary>For a list or dictionary: the node of each entry.</summary>
        public Node? Any { get; set; }

        /// <summary>Whether the names of the entries are numbers.</summary>
        public bool IsList { get; set; }

        /// <summary>The name of a value below this node. <see langword="null"/> for a single value.</summary>
        public string? Entry => IsList ? "0" : Any is not null ? "<name>" : Children.Keys.FirstOrDefault();
    }
}
