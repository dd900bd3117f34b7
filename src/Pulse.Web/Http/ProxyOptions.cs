using System.Net;
using Microsoft.Extensions.Options;

namespace Pulse.Web.Http;

/// <summary>Proxies whose forwarded headers are trusted. Settings <c>Pulse:Http:*</c>.</summary>
internal sealed class ProxyOptions
{
    /// <summary>The configuration section of these settings.</summary>
    public const string SectionName = "Pulse:Http";

    /// <summary>
    /// Addresses (<c>10.0.0.7</c>) and networks (<c>10.0.0.0/8</c>) whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c> are trusted.
    /// Default none, because other clients could forge their address and scheme with them.
    /// </summary>
    public IList<string> TrustedProxies { get; } = [];

    /// <summary>Parses one entry. An address is a network of one.</summary>
    public static bool TryParse(string? text, out IPNetwork network)
    {
        if (!IPAddress.TryParse(text, out var address)) return IPNetwork.TryParse(text, out network);
        network = new(address, address.GetAddressBytes().Length * 8);
        return true;
    }
}

/// <summary>Accepts only addresses and networks.</summary>
internal sealed class ProxyOptionsValidator : IValidateOptions<ProxyOptions>
{
    public ValidateOptionsResult Validate(string? name, ProxyOptions options)
    {
        var faults = options.TrustedProxies
            .Select((text, index) => (text, index))
            .Where(entry => !ProxyOptions.TryParse(entry.text, out _))
            .Select(entry =>
                $"{ProxyOptions.SectionName}:TrustedProxies:{entry.index} must be an address such as 10.0.0.7 or a network such as 10.0.0.0/8; it is '{entry.text}'.")
            .ToArray();
        return faults.Length == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(faults);
    }
}
