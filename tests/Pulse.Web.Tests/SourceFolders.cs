using System.Text.RegularExpressions;
using Pulse.Web.Tests.Pages;

namespace Pulse.Web.Tests;

/// <summary>The uses between the folders of one project.</summary>
/// <remarks>Compares names in the source text, because a compiled assembly does not refer to constants. Comments do not count.</remarks>
internal sealed partial class SourceFolders
{
    private readonly string _root;
    private readonly string _namespace;
    private readonly Dictionary<string, string> _texts;
    private readonly ILookup<string, string> _filesByName;
    private readonly string[] _imports;

    public SourceFolders(string project, string rootNamespace)
    {
        _root = Path.Combine(Checkout.Root, "src", project);
        _namespace = rootNamespace;
        _texts = Directory.EnumerateFiles(_root, "*.*", SearchOption.AllDirectories)
            .Where(path => Path.GetExtension(path) is ".cs" or ".razor")
            .Select(path => Path.GetRelativePath(_root, path))
            .Where(path => !path.StartsWith("obj", StringComparison.Ordinal) && !path.StartsWith("bin", StringComparison.Ordinal))
            .ToDictionary(path => path, path => Comments().Replace(File.ReadAllText(Path.Combine(_root, path)), ""));
        _filesByName = _texts.SelectMany(file => NamesIn(file.Key, file.Value).Select(name => (Name: name, file.Key)))
            .ToLookup(pair => pair.Name, pair => pair.Key);
        _imports = [.. _texts.Where(file => Path.GetFileName(file.Key) == "_Imports.razor").SelectMany(file => UsingsIn(file.Value))];
    }

    /// <summary>The folders, by their paths below the project; the root is the empty path.</summary>
    public IEnumerable<string> Folders => _texts.Keys.Select(FolderOf).Distinct();

    /// <summary>The files whose namespace is not that of their folder.</summary>
    public IEnumerable<string> MisplacedFiles =>
        from file in _texts
        let declared = Namespace().Match(file.Value)
        where declared.Success && declared.Groups["name"].Value != NamespaceOf(FolderOf(file.Key))
        select file.Key;

    /// <summary>Each use of a name that another folder declares.</summary>
    public IEnumerable<(string User, string Used, string Example)> Uses() =>
        from file in _texts
        let user = FolderOf(file.Key)
        let visible = VisibleIn(file.Key, file.Value).ToHashSet(StringComparer.Ordinal)
        from name in Words().Matches(file.Value).Select(word => word.Value).Distinct()
        from declaring in _filesByName[name]
        let used = FolderOf(declaring)
        where used != user && (visible.Contains(NamespaceOf(used)) || IsQualified(file.Value, used, name))
        select (user, used, $"{Path.GetFileName(file.Key)} ({name})");

    private static string FolderOf(string path) => Path.GetDirectoryName(path)!.Replace('\\', '/');

    private string NamespaceOf(string folder) => folder == "" ? _namespace : $"{_namespace}.{folder.Replace('/', '.')}";

    private static bool IsQualified(string text, string folder, string name) =>
        folder != "" && text.Contains($"{folder[(folder.LastIndexOf('/') + 1)..]}.{name}", StringComparison.Ordinal);

    // The own namespace, those around it, and those that the file imports. A Program has no namespace and imports all that it uses.
    private IEnumerable<string> VisibleIn(string path, string text)
    {
        var own = NamespaceOf(FolderOf(path));
        var around = own.Split('.').Select((_, i) => string.Join('.', own.Split('.')[..(i + 1)]));
        return around.Concat(UsingsIn(text)).Concat(Path.GetExtension(path) == ".razor" ? _imports : []);
    }

    private static IEnumerable<string> UsingsIn(string text) => Using().Matches(text).Select(match => match.Groups["name"].Value);

    private static IEnumerable<string> NamesIn(string path, string text) => Path.GetExtension(path) == ".razor"
        ? [Path.GetFileNameWithoutExtension(path)]
        : Declaration().Matches(text).Concat(Extension().Matches(text)).Select(match => match.Groups["name"].Value).Distinct();

    [GeneratedRegex(@"//[^\n]*|/\*.*?\*/|@\*.*?\*@", RegexOptions.Singleline)]
    private static partial Regex Comments();

    [GeneratedRegex(@"\b[A-Z]\w+\b")]
    private static partial Regex Words();

    [GeneratedRegex(@"^namespace (?<name>[\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"^@?using (?:static )?(?<name>[\w.]+);?\r?$", RegexOptions.Multiline)]
    private static partial Regex Using();

    [GeneratedRegex(
        @"^(?:public|internal|file) (?:(?:static|sealed|abstract|readonly|partial|ref) )*"
        + @"(?:class|interface|enum|record(?: struct)?|struct) (?<name>[A-Z]\w*)",
        RegexOptions.Multiline)]
    private static partial Regex Declaration();

    [GeneratedRegex(@"static [^\n(]*?\b(?<name>[A-Z]\w*)(?:<[^(]*>)?\(\s*this ")]
    private static partial Regex Extension();
}
