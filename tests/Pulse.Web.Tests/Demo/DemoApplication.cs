using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Demo;

namespace Pulse.Web.Tests.Demo;

/// <summary>Pulse with <c>--demo</c>, whose people talk at twenty times their pace.</summary>
public class DemoApplication : PulseApplication
{
    private readonly int _maxEntries;

    private protected DemoApplication(int maxEntries) : base([KeyValuePair.Create("Pulse:Demo", "true")]) => _maxEntries = maxEntries;

    /// <summary>Waits until the simulated people are users.</summary>
    public Task PeopleAsync() => Services.GetRequiredService<DemoPeople>().Arrived.WaitAsync(TimeSpan.FromSeconds(60));

    private protected override void Adjust(IServiceCollection services) =>
        services.AddSingleton(new DemoPace(DemoPace.Natural.Step / 20, _maxEntries));
}
