using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using Pulse.Web.Audit;
using Pulse.Web.Mail;

namespace Pulse.Web.SignIn;

/// <summary>Limits the number of sign-in mails of this front end, per network of clients and in total.</summary>
/// <remarks>Mail servers stop accepting mail from a site that sends floods of it.</remarks>
internal sealed partial class MailLimits : IDisposable
{
    private static readonly TimeSpan s_window = TimeSpan.FromHours(1);

    private readonly PartitionedRateLimiter<IPAddress?> _perNetwork;
    private readonly FixedWindowRateLimiter _site;
    private readonly ILogger _logger;

    public MailLimits(IOptions<MailOptions> options, ILogger<MailLimits> logger)
    {
        _logger = logger;
        var (perNetwork, site) = (options.Value.MailsPerNetworkPerHour, options.Value.MailsPerHour);
        _perNetwork = PartitionedRateLimiter.Create<IPAddress?, string>(
            address => RateLimitPartition.GetFixedWindowLimiter(Network(address), _ => new() { PermitLimit = perNetwork, Window = s_window }));
        _site = new(new() { PermitLimit = site, Window = s_window });
    }

    /// <summary>Counts a mail that is about to be sent for the client with that address.</summary>
    /// <returns><see langword="false"/> if the limit is exceeded. The answer then has the time of a retry.</returns>
    public bool TryTake(HttpContext context)
    {
        if (TryTake(context.Connection.RemoteIpAddress, context.Response)) return true;
        context.Audit(AuditEvents.RateLimited, reason: "mails");
        return false;
    }

    /// <inheritdoc cref="TryTake(HttpContext)"/>
    public bool TryTake(IPAddress? client, HttpResponse response)
    {
        // The network's share is checked first, so that a network over its limit takes nothing from the site's share.
        using var ofNetwork = _perNetwork.AttemptAcquire(client);
        if (ofNetwork.IsAcquired)
        {
            using var ofSite = _site.AttemptAcquire();
            if (ofSite.IsAcquired) return true;
            LogSiteLimit();
        }

        response.Headers.RetryAfter = "600";
        return false;
    }

    public void Dispose()
    {
        _perNetwork.Dispose();
        _site.Dispose();
    }

    // One customer may have a /24 of IPv4 or a /48 of IPv6.
    private static string Network(IPAddress? address)
    {
        if (address is null) return "";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return Convert.ToHexString(address.GetAddressBytes(), 0, address.AddressFamily == AddressFamily.InterNetworkV6 ? 6 : 3);
    }

    [LoggerMessage(2524, LogLevel.Warning, "This front end has sent as many sign-in mails as Pulse:Mail:MailsPerHour allows. Further mails are refused.")]
    private partial void LogSiteLimit();
}
