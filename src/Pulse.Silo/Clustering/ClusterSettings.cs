using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Pulse.Silo.Clustering;

/// <summary>The addresses of this process's silo, and its cluster.</summary>
internal sealed class ClusterSettings : IValidatableObject
{
    public const string SectionName = "Pulse:Cluster";

    /// <summary>Silos with the same id in the same Redis are one cluster.</summary>
    [Required]
    public string ClusterId { get; set; } = "pulse";

    /// <summary>Part of the key of stored grain state. It must stay the same across deployments.</summary>
    [Required]
    public string ServiceId { get; set; } = "pulse";

    /// <summary>TCP port for other silos. Default 11111, 0 for a free one.</summary>
    [Range(0, 65_535)]
    public int SiloPort { get; set; } = 11_111;

    /// <summary>TCP port for front ends in the External topology. Default 30000, 0 for a free one.</summary>
    [Range(0, 65_535)]
    public int GatewayPort { get; set; } = 30_000;

    /// <summary>
    /// The address under which other processes reach this one. By default loopback if embedded, otherwise the first address of this host.
    /// </summary>
    public string? AdvertisedAddress { get; set; }

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (AdvertisedAddress is not null && !IPAddress.TryParse(AdvertisedAddress, out _))
        {
            yield return new($"{SectionName}:AdvertisedAddress is '{AdvertisedAddress}'; it must be an IP address, such as 10.0.0.7.");
        }

        if (SiloPort == GatewayPort && SiloPort != 0)
        {
            yield return new($"{SectionName}:SiloPort and {SectionName}:GatewayPort are both {SiloPort}; they must differ.");
        }
    }
}
