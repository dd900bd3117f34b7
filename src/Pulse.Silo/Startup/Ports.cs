using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Options;
using Orleans.Configuration;

namespace Pulse.Silo.Startup;

/// <summary>
/// The ports of this process. They are tested before the silo joins its cluster, because it would otherwise have to leave again.
/// </summary>
internal static class Ports
{
    /// <summary>Tries to listen on every configured port.</summary>
    /// <exception cref="StartException">Some are unavailable. One line for each.</exception>
    public static void ThrowIfTaken(WebApplication app)
    {
        var faults = HttpFaults(app.Configuration).Concat(app.Services.GetService<SiloPorts>() is null ? [] : SiloFaults(app.Services)).Distinct().ToArray();
        if (faults.Length > 0) throw new StartException(faults);
    }

    /// <summary>An address that a browser on this machine can open. Wildcards are replaced by localhost.</summary>
    public static string Reachable(string address)
    {
        var parsed = BindingAddress.Parse(address);
        return parsed.Host is "*" or "+" or "0.0.0.0" or "[::]" ? $"{parsed.Scheme}://localhost:{parsed.Port}" : address.TrimEnd('/');
    }

    /// <summary>The addresses from the framework's own settings, in its order of precedence.</summary>
    internal static IEnumerable<(string Setting, string Address)> Addresses(IConfiguration configuration)
    {
        var endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren()
            .Where(endpoint => !string.IsNullOrEmpty(endpoint["Url"])).Select(endpoint => ($"{endpoint.Path}:Url", endpoint["Url"]!)).ToArray();
        if (endpoints.Length > 0) return endpoints;
        var urls = Split(configuration[WebHostDefaults.ServerUrlsKey]).Select(url => ("urls", url)).ToArray();
        if (urls.Length > 0) return urls;
        return Split(configuration[WebHostDefaults.HttpPortsKey]).Select(port => ("http_ports", $"http://*:{port}"))
            .Concat(Split(configuration[WebHostDefaults.HttpsPortsKey]).Select(port => ("https_ports", $"https://*:{port}")));
    }

    private static string[] Split(string? list) => list?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    private static IEnumerable<string> HttpFaults(IConfiguration configuration)
    {
        foreach (var (setting, address) in Addresses(configuration))
        {
            if (!TryParse(address, out var parsed))
            {
                yield return $"{setting} is '{address}', which is not an address to listen on. Write one such as http://localhost:5080.";
            }
            else if (parsed is { IsUnixPipe: false, IsNamedPipe: false } && Fault(AddressesOf(parsed.Host), parsed.Port) is { } fault)
            {
                var other = $"{parsed.Scheme}://{parsed.Host}:{parsed.Port + 1}";
                yield return $"{setting} is {address}, but {fault}. Choose another address, such as --urls {other} (or ASPNETCORE_URLS={other}).";
            }
        }
    }

    private static IEnumerable<string> SiloFaults(IServiceProvider services)
    {
        var endpoints = services.GetRequiredService<IOptions<EndpointOptions>>().Value;
        var silo = endpoints.SiloListeningEndpoint ?? new(endpoints.AdvertisedIPAddress, endpoints.SiloPort);
        if (Fault([silo.Address], silo.Port) is { } fault) yield return SiloFault("SiloPort", silo, fault);
        var gateway = endpoints.GatewayListeningEndpoint ?? new(endpoints.AdvertisedIPAddress, endpoints.GatewayPort);
        if (Fault([gateway.Address], gateway.Port) is { } other)
            yield return SiloFault("GatewayPort", gateway, other);
    }

    private static string SiloFault(string name, IPEndPoint endpoint, string fault) => fault.Contains("no address", StringComparison.Ordinal)
        ? $"Pulse:Cluster:AdvertisedAddress is {endpoint.Address}, but {fault}. Set it to an address of this machine, under which the other processes reach it."
        : $"Pulse:Cluster:{name} is {endpoint.Port}, but {fault}. Choose another, or 0 for a free one.";

    private static bool TryParse(string address, out BindingAddress parsed)
    {
        try
        {
            parsed = BindingAddress.Parse(address);
            return parsed.IsUnixPipe || parsed.IsNamedPipe || parsed.Port is >= IPEndPoint.MinPort and <= IPEndPoint.MaxPort;
        }
        catch (FormatException)
        {
            parsed = null!;
            return false;
        }
    }

    private static IPAddress[] AddressesOf(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? [IPAddress.Loopback, IPAddress.IPv6Loopback]
        : IPAddress.TryParse(host, out var address) ? [address]
        : [IPAddress.IPv6Any];

    private static string? Fault(IPAddress[] addresses, int port) =>
        port == 0 ? null : addresses.Select(address => Fault(address, port, isOnly: addresses.Length == 1)).FirstOrDefault(fault => fault is not null);

    private static string? Fault(IPAddress address, int port, bool isOnly)
    {
        try
        {
            using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(new IPEndPoint(address, port));
            socket.Listen();
            return null;
        }
        catch (SocketException fault)
        {
            return fault.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => $"port {port} is in use by another process",
                SocketError.AccessDenied => $"this process has no permission to listen on port {port}",
                // A machine that lacks IPv6 also lacks ::1.
                SocketError.AddressNotAvailable when isOnly => $"{address} is no address of this machine",
                _ => null,
            };
        }
    }
}

/// <summary>Marks that this process's silo listens on the ports of Orleans' endpoint options.</summary>
internal sealed record SiloPorts;
