using System.Reflection;
using Pulse.Users;

namespace Pulse.Web.Tests;

/// <summary>Compares the table of projects in ARCHITECTURE.md with the references of the compiled assemblies.</summary>
public sealed class LayeringTests
{
    [Theory]
    [InlineData("Pulse.Grains.Interfaces")]
    [InlineData("Pulse.Grains", "Pulse.Grains.Interfaces")]
    [InlineData("Pulse.Silo", "Pulse.Grains", "Pulse.Grains.Interfaces")]
    [InlineData("Pulse.Web", "Pulse.Grains.Interfaces", "Pulse.Silo")]
    public void Project_UsesOnlyWhatItMay(string project, params string[] allowed)
    {
        var assembly = Assembly.Load(project);
        var used = assembly.GetReferencedAssemblies().Select(reference => reference.Name!)
            .Where(name => name.StartsWith("Pulse.", StringComparison.Ordinal));

        Assert.Empty(used.Except(allowed));
    }

    [Fact]
    public void Interfaces_UseNothingButOrleansAndTheFramework()
    {
        var used = typeof(IUserGrain).Assembly.GetReferencedAssemblies().Select(reference => reference.Name!);

        Assert.All(used, name => Assert.Matches("^(Orleans|System|Microsoft\\.Extensions|netstandard)", name));
    }

    /// <summary>For each folder of a project, the folders of the same project that it may use: only folders that stand before it.</summary>
    private static readonly Dictionary<string, (string Namespace, (string Folder, string[] Uses)[] Layers)> s_folders = new()
    {
        ["Pulse.Grains.Interfaces"] = ("Pulse",
        [
            ("Accounts", []),
            ("Conversations", []),
            ("Presence", []),
            ("Users", ["Accounts", "Presence"]),
            ("Identity", ["Accounts", "Users"]),
        ]),
        ["Pulse.Grains"] = ("Pulse.Grains",
        [
            ("Storage", []),
            ("Accounts", ["Storage"]),
            ("Presence", ["Storage"]),
            ("Presence/Watching", ["Presence"]),
            ("Conversations", ["Storage"]),
            ("Users", ["Accounts", "Presence", "Presence/Watching", "Storage"]),
            ("Identity", ["Accounts", "Storage", "Users"]),
        ]),
        ["Pulse.Silo"] = ("Pulse.Silo",
        [
            ("Clock", []),
            ("Health", []),
            ("Telemetry", ["Health"]),
            ("Startup", ["Health", "Telemetry"]),
            ("Clustering", ["Startup"]),
        ]),
        ["Pulse.Web"] = ("Pulse.Web",
        [
            // The parts that every request needs.
            ("Http", []),
            ("Silos", ["Http"]),
            ("Pages", ["Http"]),
            ("Pages/Parts", ["Pages"]),
            ("Mail", ["Pages", "Pages/Parts"]),
            ("Profiles", ["Http"]),
            // The identity of the caller.
            ("Auth", []),
            ("Audit", ["Auth", "Http"]),
            ("Keys", ["Audit", "Auth", "Http"]),
            ("Tokens", ["Audit", "Auth", "Http", "Keys", "Silos"]),
            ("Sessions", ["Audit", "Auth", "Http", "Tokens"]),
            ("SignIn", ["Audit", "Auth", "Http", "Mail", "Pages", "Pages/Parts", "Profiles", "Sessions", "Tokens"]),
            // Sockets, for every feature. A feature never appears here.
            ("Connections", ["Audit", "Auth", "Http", "Silos"]),
            // Features, and the hub above them.
            ("Presence", ["Audit", "Auth", "Connections", "Http", "Silos"]),
            ("Users", ["Audit", "Auth", "Http", "Presence", "Profiles", "Sessions", "SignIn", "Silos", "Tokens"]),
            ("Conversations", ["Auth", "Connections", "Http", "Presence", "Silos", "Tokens"]),
            ("Hubs", ["Audit", "Auth", "Connections", "Conversations", "Http", "Presence", "Profiles", "Tokens"]),
            ("Admin", ["Audit", "Auth", "Http", "Keys", "Profiles", "Sessions", "Users"]),
            ("Dashboard", ["Audit", "Http", "Pages", "Pages/Parts", "Presence", "Profiles", "Sessions", "SignIn", "Tokens", "Users"]),
            ("Chat", ["Dashboard", "Http", "Pages", "Pages/Parts", "Sessions", "Tokens"]),
            ("Home", ["Pages", "Sessions", "Tokens"]),
            ("Demo", ["Connections", "Conversations"]),
            // Describes the routes of all features.
            ("OpenApi", ["Conversations", "Http", "Presence", "Sessions", "Tokens"]),
        ]),
    };

    public static TheoryData<string> Projects => [.. s_folders.Keys];

    [Theory]
    [MemberData(nameof(Projects))]
    public void Folder_UsesOnlyWhatTheTableAllows(string project)
    {
        var (rootNamespace, layers) = s_folders[project];
        var allowed = layers.SelectMany(layer => layer.Uses.Select(used => (User: layer.Folder, Used: used))).ToHashSet();

        // Only Program and the composition classes are in the root: they may use every folder, and no folder may use them.
        var uses = new SourceFolders(project, rootNamespace).Uses().Where(use => use.User != "")
            .GroupBy(use => (use.User, use.Used), use => use.Example)
            .ToDictionary(group => group.Key, group => string.Join(", ", group.Take(3)));

        Assert.Empty(uses.Where(use => !allowed.Contains(use.Key)).Select(use => $"{use.Key.User} uses {use.Key.Used}: {use.Value}"));
        Assert.Empty(allowed.Except(uses.Keys).Select(pair => $"{pair.User} no longer uses {pair.Used}: remove the pair from the table."));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Folders_AreLayered(string project)
    {
        var (rootNamespace, layers) = s_folders[project];
        string[] order = [.. layers.Select(layer => layer.Folder)];

        Assert.Equal(order.Order(), new SourceFolders(project, rootNamespace).Folders.Where(folder => folder != "").Order());
        Assert.Empty(
            layers.SelectMany((layer, at) => layer.Uses.Except(order[..at]).Select(used => $"{used} must stand before {layer.Folder}.")));

        // The subfolders of one folder stand together, so that the folders of each level are layered too.
        string[] parents = [.. order.Select(folder => folder.Split('/')[0])];
        Assert.Equal(parents.Distinct().Count(), 1 + parents.Zip(parents.Skip(1)).Count(pair => pair.First != pair.Second));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Namespace_IsThatOfTheFolder(string project) =>
        Assert.Empty(new SourceFolders(project, s_folders[project].Namespace).MisplacedFiles);
}
