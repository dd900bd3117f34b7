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
        var used = assembly.GetReferencedAssemblies().Select(reference => reference.Name!).Where(name => name.StartsWith("Pulse.", StringComparison.Ordinal));

        Assert.Empty(used.Except(allowed));
    }

    [Fact]
    public void Interfaces_UseNothingButOrleansAndTheFramework()
    {
        var used = typeof(IUserGrain).Assembly.GetReferencedAssemblies().Select(reference => reference.Name!);

        Assert.All(used, name => Assert.Matches("^(Orleans|System|Microsoft\\.Extensions|netstandard)", name));
    }
}
