namespace Pulse.Web.Http;

/// <summary>Where a request came from, for the list of sign-ins.</summary>
internal static class ClientAddress
{
    /// <summary>The IP address, IPv4 as such also on a dual-stack socket. A proxy's own, unless <c>Pulse:Http:TrustedProxies</c> names it.</summary>
    public static string? Of(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address ? (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString() : null;
}
