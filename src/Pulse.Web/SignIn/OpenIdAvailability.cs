using System.Collections.Concurrent;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Pulse.Web.Pages;

namespace Pulse.Web.SignIn;

/// <summary>
/// Monitors which OpenID Connect providers are available, so that the sign-in page and health probes need not wait for an unavailable one.
/// </summary>
internal sealed partial class OpenIdAvailability(
    IOptions<OpenIdOptions> providers, IOptionsMonitor<OpenIdConnectOptions> schemes, TimeProvider time, ILogger<OpenIdAvailability> logger)
    : BackgroundService
{
    /// <summary>Timeout of a provider's discovery document and of its answers.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_whileWell = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_intervalWhenDown = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, Words> _faults = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<Task<Words?>>> _checks = new(StringComparer.Ordinal);

    /// <summary>
    /// The reason why that provider is unavailable, as of the last check. <see langword="null"/> if it is available or unchecked.
    /// </summary>
    public Words? UnavailableReason(string provider) => _faults.TryGetValue(provider, out var fault) ? fault : (Words?)null;

    /// <summary>Checks now, within <see cref="Timeout"/>. Simultaneous callers share one check.</summary>
    public Task<Words?> CheckAsync(string provider) =>
        _checks.GetOrAdd(provider, name => new(() => LookAsync(name))).Value;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(providers.Value.All.Select(provider => WatchAsync(provider.Key, stoppingToken)));

    private async Task WatchAsync(string provider, CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var fault = await CheckAsync(provider);
            await Task.Delay(fault is null ? s_whileWell : s_intervalWhenDown, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<Words?> LookAsync(string provider)
    {
        // Runs on another thread, so that the dictionary has this check before the check can end.
        await Task.Yield();
        try
        {
            var fault = await FindFaultAsync(schemes.Get(provider), providers.Value.Find(provider)!.Authority!);
            var before = UnavailableReason(provider);
            if (fault is null) _faults.TryRemove(provider, out _);
            else _faults[provider] = fault.Value;
            if (fault?.ToString() is { } reason && reason != before?.ToString()) LogAway(provider, reason);
            if (fault is null && before is not null) LogBack(provider);
            return fault;
        }
        finally
        {
            _checks.TryRemove(provider, out _);
        }
    }

    // Bypasses the scheme's ConfigurationManager, which answers from its cache for hours.
    private async Task<Words?> FindFaultAsync(OpenIdConnectOptions scheme, string authority)
    {
        using var deadline = new CancellationTokenSource(Timeout, time);
        try
        {
            var documents = new HttpDocumentRetriever(scheme.Backchannel) { RequireHttps = scheme.RequireHttpsMetadata };
            var configuration = await OpenIdConnectConfigurationRetriever.GetAsync(scheme.MetadataAddress!, documents, deadline.Token);
            return new OpenIdDiscoveryRules(authority, scheme.RequireHttpsMetadata).FindFault(configuration);
        }
        catch (Exception) when (deadline.IsCancellationRequested)
        {
            return (Words)"it does not answer in time";
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // After any exception of the retriever and its parsers, people cannot be sent to the provider.
            return exception.GetBaseException() is HttpRequestException or IOException or System.Net.Sockets.SocketException
                ? (Words)"it does not answer"
                : (Words)"its discovery document cannot be read";
        }
    }

    [LoggerMessage(2500, LogLevel.Warning, "Nobody can sign in with {Provider}: {Reason}")]
    private partial void LogAway(string provider, string reason);

    [LoggerMessage(2501, LogLevel.Information, "People can sign in with {Provider} again")]
    private partial void LogBack(string provider);
}
