using System.Collections.Concurrent;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Pulse.Web.SignIn;

/// <summary>Knows which OpenID Connect providers answer, so that neither the sign-in page nor a health probe waits for one that does not.</summary>
internal sealed partial class OpenIdAvailability(
    IOptions<SignInOptions> providers, IOptionsMonitor<OpenIdConnectOptions> schemes, TimeProvider time, ILogger<OpenIdAvailability> logger)
    : BackgroundService
{
    /// <summary>How long a provider may take over its discovery document or an answer.</summary>
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan s_whileWell = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_whileNot = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, string> _faults = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<Task<string?>>> _checks = new(StringComparer.Ordinal);

    /// <summary>Why that provider cannot be used, as of the last look; <see langword="null"/> when it can, or was not looked at yet.</summary>
    public string? WhyNot(string provider) => _faults.GetValueOrDefault(provider);

    /// <summary>Looks now, within <see cref="Timeout"/>. Those who ask at the same time share one look.</summary>
    public Task<string?> CheckAsync(string provider) =>
        _checks.GetOrAdd(provider, name => new(() => LookAsync(name))).Value;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(providers.Value.All.Select(provider => WatchAsync(provider.Key, stoppingToken)));

    private async Task WatchAsync(string provider, CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            var fault = await CheckAsync(provider);
            await Task.Delay(fault is null ? s_whileWell : s_whileNot, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<string?> LookAsync(string provider)
    {
        // Off the caller's thread, so that the dictionary has this look before it can end.
        await Task.Yield();
        try
        {
            var fault = await FindFaultAsync(schemes.Get(provider), providers.Value.Find(provider)!.Authority!);
            var before = WhyNot(provider);
            if (fault is null) _faults.TryRemove(provider, out _);
            else _faults[provider] = fault;
            if (fault is not null && fault != before) LogAway(provider, fault);
            if (fault is null && before is not null) LogBack(provider);
            return fault;
        }
        finally
        {
            _checks.TryRemove(provider, out _);
        }
    }

    // Not through the scheme's ConfigurationManager: that one goes by what it has read, for hours.
    private async Task<string?> FindFaultAsync(OpenIdConnectOptions scheme, string authority)
    {
        using var deadline = new CancellationTokenSource(Timeout, time);
        try
        {
            var documents = new HttpDocumentRetriever(scheme.Backchannel) { RequireHttps = scheme.RequireHttpsMetadata };
            var configuration = await OpenIdConnectConfigurationRetriever.GetAsync(scheme.MetadataAddress!, documents, deadline.Token);
            var verdict = new OpenIdDiscoveryRules(authority, scheme.RequireHttpsMetadata).Validate(configuration);
            return verdict.Succeeded ? null : verdict.ErrorMessage;
        }
        catch (Exception) when (deadline.IsCancellationRequested)
        {
            return "it does not answer in time";
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // Whatever the retriever and its parsers throw means that nobody can be sent there.
            return exception.GetBaseException() is HttpRequestException or IOException or System.Net.Sockets.SocketException
                ? "it does not answer"
                : "its discovery document cannot be read";
        }
    }

    [LoggerMessage(2500, LogLevel.Warning, "Nobody can sign in with {Provider}: {Reason}")]
    private partial void LogAway(string provider, string reason);

    [LoggerMessage(2501, LogLevel.Information, "People can sign in with {Provider} again")]
    private partial void LogBack(string provider);
}
