using System.Net;
using Microsoft.Extensions.Options;

namespace Pulse.Silo.Health;

/// <summary>Clients that learn which part of Pulse is unavailable. Settings <c>Pulse:Health:*</c>.</summary>
public sealed class HealthOptions
{
    /// <summary>The configuration section of these settings.</summary>
    public const string SectionName = "Pulse:Health";

    /// <summary>
    /// Addresses (<c>10.0.0.7</c>) and networks (<c>10.0.0.0/8</c>) whose requests get the details, besides this machine. Default none. In
    /// Development every client gets them.
    /// </summary>
    public IList<string> DetailsFor { get; } = [];

    internal static bool TryParse(string? text, out IPNetwork network)
    {
        if (!IPAddress.TryParse(text, out var address)) return IPNetwork.TryParse(text, out network);
        network = new(address, address.GetAddressBytes().Length * 8);
        return true;
    }
}

/// <summary>Accepts only addresses and networks.</summary>
internal sealed class HealthOptionsValidator : IValidateOptions<HealthOptions>
{
    public ValidateOptionsResult Validate(string? name, HealthOptions options)
    {
        var faults = options.DetailsFor
            .Select((text, index) => (text, index))
            .Where(entry => !HealthOptions.TryParse(entry.text, out _))
            .Select(entry =>
                $"{HealthOptions.SectionName}:DetailsFor:{entry.index} must be an address such as 10.0.0.7 or a network such as 10.0.0.0/8; it is '{entry.text}'.")
            .ToArray();
        return faults.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
