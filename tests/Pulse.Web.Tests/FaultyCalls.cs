using Pulse.Users;

namespace Pulse.Web.Tests;

/// <summary>Makes calls to Pulse's grains fail, or something else happen beside them.</summary>
internal sealed class FaultyCalls : IIncomingGrainCallFilter
{
    /// <summary>Runs before each call, with the method's name.</summary>
    public Func<string, Task>? Before { get; set; }

    /// <summary>Runs after each call.</summary>
    public Func<string, Task>? After { get; set; }

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        var isOurs = context.InterfaceMethod.DeclaringType?.Assembly == typeof(IUserGrain).Assembly;
        if (isOurs && Before is { } before) await before(context.InterfaceMethod.Name);
        await context.Invoke();
        if (isOurs && After is { } after) await after(context.InterfaceMethod.Name);
    }
}
