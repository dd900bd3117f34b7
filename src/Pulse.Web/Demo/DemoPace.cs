namespace Pulse.Web.Demo;

/// <summary>How fast the simulated people talk, and how much.</summary>
/// <param name="Step">A pause lasts 1 to 3 of it: about the time in which a person reads or writes one line.</param>
/// <param name="MaxEntries">Simulated people write nothing to a conversation with this many entries.</param>
internal sealed record DemoPace(TimeSpan Step, int MaxEntries)
{
    /// <summary>The pace of people. An hour of it are about 600 entries in each conversation.</summary>
    public static DemoPace Natural { get; } = new(TimeSpan.FromSeconds(1.5), 2000);

    /// <summary>Without a call of a real user's client for this long, simulated people stop talking to each other.</summary>
    /// <remarks>Clients make calls only while their user is active, so a forgotten tab ends the talk as a closed one does.</remarks>
    public static TimeSpan Attention { get; } = TimeSpan.FromMinutes(10);
}
