namespace Pulse.Web.Tests;

/// <summary>The locations of the programs that tests run with Node.js.</summary>
internal static class NodePackage
{
    /// <summary>The folder of that package below <c>tests</c>, its dependencies installed.</summary>
    public static string Folder(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var package = Path.Combine(folder.FullName, "tests", name);
            if (!File.Exists(Path.Combine(package, "package.json"))) continue;
            return Directory.Exists(Path.Combine(package, "node_modules"))
                ? package
                : throw new InvalidOperationException($"Run npm ci in {package} first (./test.sh does).");
        }

        throw new InvalidOperationException($"tests/{name} is not above the tests' binaries.");
    }
}
