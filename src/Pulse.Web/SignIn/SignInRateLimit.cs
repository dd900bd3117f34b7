using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using Pulse.Web.Audit;
using Pulse.Web.Http;
using Pulse.Web.Mail;
using Pulse.Web.Pages;

namespace Pulse.Web.SignIn;

/// <summary>Bounds how many mails one client can have sent; that one mailbox is not buried is <see cref="Pulse.Identity.ISignInLinksGrain"/>'s to see to.</summary>
internal static class SignInRateLimit
{
    /// <summary>The policy's name.</summary>
    public const string Policy = "sign-in-mail";

    /// <summary>The policy of routes that take a link's token or a code.</summary>
    public const string GuessPolicy = "sign-in-guess";

    private static readonly TimeSpan s_window = TimeSpan.FromMinutes(1);

    /// <summary>Adds both policies. In this process only: N front ends let through N times as much, which is still little.</summary>
    public static void AddSignInRateLimit(this IServiceCollection services) => services.AddRateLimiter(limiter =>
    {
        limiter.AddPolicy(Policy, context =>
        {
            var permits = context.RequestServices.GetRequiredService<IOptions<MailOptions>>().Value.RequestsPerMinute;
            return RateLimitPartition.GetFixedWindowLimiter(
                Client(context.Connection.RemoteIpAddress),
                _ => new() { PermitLimit = permits, Window = s_window });
        });
        limiter.AddPolicy(GuessPolicy, context =>
        {
            var permits = context.RequestServices.GetRequiredService<IOptions<MailOptions>>().Value.GuessesPerMinute;
            return RateLimitPartition.GetFixedWindowLimiter(
                Client(context.Connection.RemoteIpAddress),
                _ => new() { PermitLimit = permits, Window = s_window });
        });
        limiter.OnRejected = async (rejected, _) =>
        {
            var context = rejected.HttpContext;
            context.Audit(AuditEvents.RateLimited, reason: "requests");
            context.Response.Headers.RetryAfter = "60";
            if (ErrorPages.Suit(context.Request)) await SignInErrors.TooMany().ExecuteAsync(context);
            else await ProblemTypes.TooManyRequests.WriteAsync(context);
        };
    });

    // One household or office has a /64 of IPv6 (RFC 6177), and with it more addresses than could be counted.
    private static string Client(IPAddress? address)
    {
        if (address is null) return "";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes(), 0, 8) : address.ToString();
    }
}
