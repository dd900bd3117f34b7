using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using Pulse.Web.Audit;
using Pulse.Web.Http;
using Pulse.Web.Mail;
using Pulse.Web.Pages;

namespace Pulse.Web.SignIn;

/// <summary>Limits the mail requests of one client. The limit per mailbox is in <see cref="Pulse.Identity.ISignInLinksGrain"/>.</summary>
internal static class SignInRateLimit
{
    /// <summary>The policy's name.</summary>
    public const string Policy = "sign-in-mail";

    /// <summary>The policy of routes that accept a link's token or a code.</summary>
    public const string GuessPolicy = "sign-in-guess";

    private static readonly TimeSpan s_window = TimeSpan.FromMinutes(1);

    /// <summary>Adds both policies. They count per process, so that N front ends allow N times as much, which is still little.</summary>
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
            if (ErrorPages.WantsHtml(context.Request)) await SignInErrors.TooMany().ExecuteAsync(context);
            else await ProblemTypes.TooManyRequests.WriteAsync(context);
        };
    });

    // One household or office has a /64 of IPv6 (RFC 6177), with more addresses than could be counted.
    private static string Client(IPAddress? address)
    {
        if (address is null) return "";
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes(), 0, 8) : address.ToString();
    }
}
