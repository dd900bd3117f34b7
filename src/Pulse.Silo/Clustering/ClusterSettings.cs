using System.ComponentModel.DataAnnotations;
using System.Net;

namespace Pulse.Silo.Clustering;

/// <summary>Where this process's silo listens and which cluster it joins.</summary>
internal sealed class ClusterSettings : IValidatableObject
{
    public const string SectionName = "Pulse:Cluster";

    /// <summary>Silos with the same id in the same Redis are one cluster.</summary>
    [Required]
    public string ClusterId { get; set; } = "pulse";

    /// <summary>Part of the key of stored grain state: stays the same across deployments.</summary>
    [Required]
    public string ServiceId { get; set; } = "pulse";

    /// <summary>TCP port for other silos; 0 for a free one.</summary>
    [Range(0, 65_535)]
    public int SiloPort { get; set; } = 11_111;

    /// <summary>TCP port for front ends in the External topology; 0 for a free one.</summary>
    [Range(0, 65_535)]
    public int GatewayPort { get; set; } = 30_000;

    /// <summary>The address under which others reach this process; by default loopback when embedded, else the first of this host.</summary>
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
