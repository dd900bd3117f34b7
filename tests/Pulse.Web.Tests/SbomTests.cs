using System.Diagnostics;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Pulse.Web.Tests.Pages;

namespace Pulse.Web.Tests;

/// <summary><c>deploy/sbom.sh</c>: all shipped packages are in the bills of materials.</summary>
public sealed class SbomTests
{
    private static readonly string[] s_projects = ["Pulse.Grains.Interfaces", "Pulse.Grains", "Pulse.Silo", "Pulse.Web"];
    private static readonly string[] s_npmPackages = ["pages", "client"];

    [Fact]
    public async Task Sbom_HasEveryPackageThatPulseShips()
    {
        var folder = Directory.CreateTempSubdirectory("pulse-sbom-").FullName;
        try
        {
            await RunAsync(folder);

            // With the versions of Directory.Packages.props, which all projects use.
            var versions = Items("Directory.Packages.props", "PackageVersion").ToDictionary(item => item.Name, item => item.Version);
            var shipped = s_projects.SelectMany(project => Items(Path.Combine("src", project, $"{project}.csproj"), "PackageReference"))
                .Select(item => $"pkg:nuget/{item.Name}@{versions[item.Name]}").Distinct().ToArray();
            Assert.True(shipped.Length > 15, $"Only {shipped.Length} packages were found.");
            var listed = Packages(folder, "pulse");
            Assert.Empty(shipped.Except(listed, StringComparer.OrdinalIgnoreCase));
            Assert.DoesNotContain(listed, package => package.Contains("xunit", StringComparison.OrdinalIgnoreCase));

            foreach (var name in s_npmPackages)
            {
                var packages = Packages(folder, name);
                Assert.Contains(packages, package => package.StartsWith("pkg:npm/%40microsoft/signalr@", StringComparison.Ordinal));
                Assert.DoesNotContain(packages, package => package.StartsWith("pkg:npm/typescript@", StringComparison.Ordinal));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string[] Packages(string folder, string name)
    {
        var bill = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, $"{name}.cdx.json")))!;
        Assert.Equal("CycloneDX", (string?)bill["bomFormat"]);
        return [.. bill["components"]!.AsArray().Select(component => (string)component!["purl"]!)];
    }

    private static IEnumerable<(string Name, string? Version)> Items(string file, string element) =>
        XDocument.Load(Path.Combine(Checkout.Root, file)).Descendants(element)
            .Select(item => (item.Attribute("Include")!.Value, item.Attribute("Version")?.Value));

    private static async Task RunAsync(string folder)
    {
        using var script = Process.Start(new ProcessStartInfo(Path.Combine(Checkout.Root, "deploy", "sbom.sh"), folder)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var output = script.StandardOutput.ReadToEndAsync();
        var errors = script.StandardError.ReadToEndAsync();
        using var deadline = new CancellationTokenSource(TimeSpan.FromMinutes(4));
        try
        {
            await script.WaitForExitAsync(deadline.Token);
        }
        finally
        {
            if (!script.HasExited) script.Kill(entireProcessTree: true);
        }

        Assert.True(script.ExitCode == 0, await output + await errors);
    }
}
