using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;
using Microsoft.Net.Http.Headers;
using Pulse.Web.Audit;
using Pulse.Web.Http;

namespace Pulse.Web.Admin;

/// <summary>Admits requests with the admin key, and limits the rate of wrong keys.</summary>
internal sealed class AdminKey(IOptions<AdminOptions> options) : IEndpointFilter, IDisposable
{
    private const string Scheme = "Bearer ";
    private const int WrongPerMinute = 10;

    private readonly byte[] _hash = Hash(options.Value.Key ?? "");

    private readonly PartitionedRateLimiter<string> _wrong = PartitionedRateLimiter.Create<string, string>(
        address => RateLimitPartition.GetFixedWindowLimiter(address, _ => new() { PermitLimit = WrongPerMinute, Window = TimeSpan.FromMinutes(1) }));

    /// <summary>The filter.</summary>
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        context.Response.Headers.CacheControl = "no-store";
        if (IsRight(context.Request)) return await next(invocation);

        context.Audit(AuditEvents.AdminKeyRefused);
        using var lease = _wrong.AttemptAcquire(ClientAddress.Of(context) ?? "");
        if (!lease.IsAcquired)
        {
            var wait = lease.TryGetMetadata(MetadataName.RetryAfter, out var retryAfter) ? retryAfter : TimeSpan.FromMinutes(1);
            context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            return ProblemTypes.TooManyRequests.ToResult();
        }

        context.Response.Headers[HeaderNames.WWWAuthenticate] = "Bearer";
        return ProblemTypes.AdminKeyWrong.ToResult();
    }

    public void Dispose() => _wrong.Dispose();

    // Hashes are compared, so that the duration also conceals the key's length.
    private bool IsRight(HttpRequest request) =>
        request.Headers.Authorization.ToString() is { } header && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(Hash(header[Scheme.Length..].Trim()), _hash);

    private static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}
