using Pulse.Silo.Startup;

namespace Pulse.Web.Tests.Silos;

/// <summary><c>Pulse:Silo</c>. Tests of front ends that find and lose silos are in Pulse.Cluster.Tests.</summary>
public sealed class SilosSetupTests
{
    [Theory]
    [InlineData("External", "ConnectionStrings:Redis")]
    [InlineData("Elsewhere", "InProcess (the default) or External")]
    public async Task Start_WithoutRequiredSettings_RefusesAndSaysWhatToDo(string silo, string advice)
    {
        var application = new Application(silo);
        try
        {
            var refused = await Assert.ThrowsAsync<StartException>(application.InitializeAsync);

            Assert.Contains($"Pulse:Silo is {(silo == "External" ? silo : $"'{silo}'")}", refused.Message, StringComparison.Ordinal);
            Assert.Contains(advice, refused.Message, StringComparison.Ordinal);
        }
        finally
        {
            await application.DisposeAsync();
        }
    }

    private sealed class Application(string silo) : PulseApplication([KeyValuePair.Create("Pulse:Silo", silo)]);
}
