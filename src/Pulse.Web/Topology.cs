namespace Pulse.Web;

/// <summary>Where the silos are: <c>Pulse:Silo</c>.</summary>
internal static class Topology
{
    /// <summary>Refuses a topology that this version does not have, rather than running another one in silence.</summary>
    /// <exception cref="InvalidOperationException"><c>Pulse:Silo</c> is neither unset nor <c>InProcess</c>.</exception>
    public static void Validate(IConfiguration configuration)
    {
        var silo = configuration["Pulse:Silo"];
        if (!string.IsNullOrEmpty(silo) && !silo.Equals("InProcess", StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidOperationException($"Pulse:Silo is '{silo}'; this version knows InProcess alone. Any number of such processes over one Redis are one cluster.");
        }
    }
}
