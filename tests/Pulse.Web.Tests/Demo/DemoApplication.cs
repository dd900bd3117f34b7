using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Pulse.Web.Demo;

namespace Pulse.Web.Tests.Demo;

/// <summary>Pulse with <c>--demo</c>, whose people talk at twenty times their pace.</summary>
public class DemoApplication : PulseApplication
{
    private readonly int _maxEntries;

    private protected DemoApplication(int maxEntries) : base([KeyValuePair.Create("Pulse:Demo", "true")]) => _maxEntries = maxEntries;

    /// <summary>Waits until the simulated people are users that answer messages.</summary>
    public Task PeopleAsync() => PeopleOfAsync(this);

    /// <summary>As <see cref="PeopleAsync"/>, for an application of another class.</summary>
    internal static async Task PeopleOfAsync(PulseApplication pulse)
    {
        var bound = TimeSpan.FromSeconds(60);
        await pulse.Services.GetRequiredService<DemoPeople>().Arrived.WaitAsync(bound);
        await pulse.Services.GetServices<IHostedService>().OfType<DemoConversations>().Single().Listening.WaitAsync(bound);
    }

    private protected override void Adjust(IServiceCollection services) =>
        services.AddSingleton(new DemoPace(DemoPace.Natural.Step / 20, _maxEntries));
}
