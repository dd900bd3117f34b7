using System.Globalization;
using System.Text.RegularExpressions;
using Pulse.Web.Tests.Pages;

namespace Pulse.Web.Tests;

/// <summary>All names in <c>docs/security.md</c> exist, so that its table cannot drift from the code.</summary>
public sealed partial class SecurityDocumentTests
{
    // The number of requirements of levels 1 and 2 in each chapter of ASVS 5.0.0.
    private static readonly Dictionary<int, int> s_published = new()
    {
        [1] = 27, [2] = 11, [3] = 19, [4] = 10, [5] = 9, [6] = 35, [7] = 18, [8] = 7, [9] = 7, [10] = 29, [11] = 14, [12] = 9, [13] = 13, [14] = 9, [15] = 13, [16] = 16, [17] = 7,
    };

    private static readonly string[] s_folders = ["src", "tests"];

    private static readonly string s_text = File.ReadAllText(Path.Combine(Checkout.Root, "docs", "security.md"));

    [Fact]
    public void EveryFile_Exists()
    {
        var paths = Spans().Where(span => PathLike().IsMatch(span)).Concat(Links().Matches(s_text).Select(link => Path.Combine("docs", link.Groups[1].Value))).ToArray();

        Assert.True(paths.Length > 10, $"Only {paths.Length} paths were found.");
        string[] missing = [.. paths.Where(path => !Path.Exists(Path.GetFullPath(Path.Combine(Checkout.Root, path))))];
        Assert.Empty(missing);
    }

    [Fact]
    public void EveryTypeAndMethod_Exists()
    {
        var sources = s_folders
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Checkout.Root, folder), "*.*", SearchOption.AllDirectories))
            .Where(path => Path.GetExtension(path) is ".cs" or ".razor" && !path.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin" or "node_modules"))
            .ToLookup(path => Path.GetFileNameWithoutExtension(path));
        var names = Spans().Select(span => TypeLike().Match(span)).Where(match => match.Success).ToArray();

        Assert.True(names.Length > 100, $"Only {names.Length} types were found.");
        string[] missing = [.. names.Where(name => !IsThere(name.Groups["type"].Value, name.Groups["method"])).Select(name => name.Value)];
        Assert.Empty(missing);

        bool IsThere(string type, Group method) =>
            sources[type].Any(path => !method.Success || File.ReadAllText(path).Contains($" {method.Value}(", StringComparison.Ordinal));
    }

    [Fact]
    public void EveryRequirement_HasOneVerdict()
    {
        var numbers = Rows().Matches(s_text).SelectMany(row => row.Groups["numbers"].Value.Split(", ").SelectMany(Expand)).ToArray();

        Assert.Empty(numbers.GroupBy(number => number).Where(group => group.Count() > 1).Select(group => group.Key));
        Assert.Equal(s_published, numbers.GroupBy(number => number.Chapter).OrderBy(chapter => chapter.Key).ToDictionary(chapter => chapter.Key, chapter => chapter.Count()));
    }

    // "6.2.1–6.2.12" means all of them, "8.1.1" a single one.
    private static IEnumerable<(int Chapter, int Section, int Number)> Expand(string text)
    {
        var ends = text.Split('–').Select(end => Array.ConvertAll(end.Split('.'), part => int.Parse(part, CultureInfo.InvariantCulture))).ToArray();
        for (var number = ends[0][2]; number <= ends[^1][2]; number++) yield return (ends[0][0], ends[0][1], number);
    }

    private static IEnumerable<string> Spans() => CodeSpans().Matches(s_text).Select(match => match.Groups[1].Value).Distinct();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex CodeSpans();

    [GeneratedRegex(@"\]\(([^)#:]+)(?:#[^)]*)?\)")]
    private static partial Regex Links();

    [GeneratedRegex(@"^\.?[A-Za-z][\w.+-]*/[\w./+-]*$|^[\w.-]+\.(?:json|md|props|sh|sln|yml)$|^Dockerfile$|^\.dockerignore$")]
    private static partial Regex PathLike();

    [GeneratedRegex(@"^(?<type>[A-Z][a-z]+[A-Za-z]*[A-Z]\w*)(?:\.(?<method>[A-Z]\w+))?$")]
    private static partial Regex TypeLike();

    [GeneratedRegex(@"^\| (?<numbers>\d+\.\d+\.\d+[\d., –]*) \| [^|]+ \| (?:met|n\.a\.|platform|open) \| .+ \|$", RegexOptions.Multiline)]
    private static partial Regex Rows();
}
