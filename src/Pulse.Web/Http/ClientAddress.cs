namespace Pulse.Web.Http;

/// <summary>The client's address, for the list of sign-ins.</summary>
internal static class ClientAddress
{
    /// <summary>
    /// The IP address, in IPv4 form also on a dual-stack socket. It is a proxy's own unless <c>Pulse:Http:TrustedProxies</c> lists the
    /// proxy.
    /// </summary>
    public static string? Of(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address ? (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address).ToString() : null;
}
