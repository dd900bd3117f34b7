using System.Text.RegularExpressions;
using Pulse.Web.Tests.Pages;

namespace Pulse.Web.Tests;

/// <summary>All files, folders, types and methods that CONTRIBUTING.md names exist.</summary>
public sealed partial class ContributingTests
{
    private static readonly string s_text = File.ReadAllText(Path.Combine(Checkout.Root, "CONTRIBUTING.md"));

    private static readonly string[] s_sources =
    [
        .. new[] { "src", "tests" }.SelectMany(folder =>
            Directory.EnumerateFiles(Path.Combine(Checkout.Root, folder), "*.cs", SearchOption.AllDirectories))
            .Where(path => !path.Split(Path.DirectorySeparatorChar).Any(part => part is "obj" or "bin" or "node_modules")),
    ];

    [Fact]
    public void EveryPath_Exists()
    {
        var paths = Spans().Select(span => span.Split(' ')[0]).Where(span => PathLike().IsMatch(span))
            .Concat(Links().Matches(s_text).Select(link => link.Groups[1].Value)).Distinct().ToArray();

        Assert.True(paths.Length > 10, $"Only {paths.Length} paths were found.");
        Assert.All(paths, path => Assert.True(Path.Exists(Path.Combine(Checkout.Root, path)), $"{path} does not exist."));
    }

    [Fact]
    public void EveryTypeAndMethod_OfTheAnswers_Exists()
    {
        var files = s_sources.ToLookup(path => Path.GetFileNameWithoutExtension(path));
        var answers = Answers().Matches(s_text).ToArray();
        Assert.Equal(4, answers.Length);

        foreach (var answer in answers)
        {
            var names = CodeSpans().Matches(answer.Groups["answer"].Value).Select(match => TypeLike().Match(match.Groups[1].Value))
                .Where(match => match.Success).ToArray();
            Assert.True(names.Length >= 2, $"This answer names too few types: {answer.Value}");
            Assert.Empty(names.Where(name => !files[name.Groups["type"].Value].Any(path =>
                !name.Groups["method"].Success || File.ReadAllText(path)
                    .Contains($" {name.Groups["method"].Value}(", StringComparison.Ordinal))).Select(name => name.Value));
        }
    }

    [Fact]
    public void EveryFolderOfTheTable_Exists()
    {
        var named = FolderRows().Matches(s_text.Split("In `src/Pulse.Web`, from bottom to top:")[1].Split("\n\n")[1])
            .SelectMany(row => CodeSpans().Matches(row.Value).Select(span => span.Groups[1].Value)).ToArray();
        var folders = s_sources.Select(path => Path.GetRelativePath(Path.Combine(Checkout.Root, "src", "Pulse.Web"), path))
            .Where(path => !path.StartsWith("..", StringComparison.Ordinal)
                && path.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal))
            .Select(path => path.Split(Path.DirectorySeparatorChar)[0]).Distinct();

        Assert.True(named.Length > 15, $"Only {named.Length} folders were found.");
        Assert.Empty(named.Except(folders));
    }

    private static IEnumerable<string> Spans() => CodeSpans().Matches(s_text).Select(match => match.Groups[1].Value).Distinct();

    [GeneratedRegex("`([^`\n]+)`")]
    private static partial Regex CodeSpans();

    [GeneratedRegex(@"\]\(([^)#:]+)(?:#[^)]*)?\)")]
    private static partial Regex Links();

    [GeneratedRegex(@"^(?:src|tests|sql|clients|samples|deploy|bench|docs)(?:/[\w./+-]*)?$|^[\w.-]+\.(?:json|md|props|sh|sln)$")]
    private static partial Regex PathLike();

    [GeneratedRegex(@"^(?<type>[A-Z]\w*[a-z]\w*)(?:\.(?<method>[A-Z]\w+))?$")]
    private static partial Regex TypeLike();

    [GeneratedRegex(@"^\| (?<question>[^|]+\?) \| (?<answer>[^|]+) \|$", RegexOptions.Multiline)]
    private static partial Regex Answers();

    [GeneratedRegex(@"^\| (`[^|]+`) \|", RegexOptions.Multiline)]
    private static partial Regex FolderRows();
}
