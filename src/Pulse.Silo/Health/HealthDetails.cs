using System.Net;
using Microsoft.Extensions.Options;

namespace Pulse.Silo.Health;

/// <summary>Decides which requests get health details. Knowledge of the unavailable part would help an attacker.</summary>
public sealed class HealthDetails
{
    private readonly bool _isDevelopment;
    private readonly IPNetwork[] _networks;

    /// <summary>Reads the settings.</summary>
    public HealthDetails(IOptions<HealthOptions> options, IHostEnvironment environment)
    {
        ArgumentNullException.ThrowIfNull(options);
        _isDevelopment = environment.IsDevelopment();
        _networks = [.. options.Value.DetailsFor.Select(text => HealthOptions.TryParse(text, out var network) ? network : default)];
    }

    /// <summary>Whether the request gets details.</summary>
    public bool AreFor(HttpContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (_isDevelopment) return true;

        // The headers of a trusted proxy have been applied and removed by now. A remaining header comes through an unknown proxy, whose
        // address is not the client's.
        if (context.Request.Headers.ContainsKey("X-Forwarded-For") || context.Request.Headers.ContainsKey("Forwarded")) return false;
        if (context.Connection.RemoteIpAddress is not { } address) return false;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return IPAddress.IsLoopback(address) || Array.Exists(_networks, network => network.Contains(address));
    }
}
