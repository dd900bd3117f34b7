using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Tokens;

/// <summary>The keys that an issuer publishes, cached: read again while they age, and at once for a token whose key is not among them.</summary>
/// <remarks>
/// The framework's token handlers call <see cref="RequestRefresh"/> when no key fits a signature, and validate once more if the next
/// <see cref="GetBaseConfigurationAsync"/> returns other keys. The library's own <c>ConfigurationManager</c> refreshes in the background, so that the
/// request that found the new key is refused, and keeps withdrawn keys for up to 13 hours.
/// </remarks>
internal sealed class PublishedKeys(
    string metadataAddress, IDocumentRetriever documents, TimeProvider time, IConfigurationValidator<OpenIdConnectConfiguration>? rules = null)
    : BaseConfigurationManager, IConfigurationManager<OpenIdConnectConfiguration>
{
    /// <summary>From this age on the keys are read again in the background.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(5);

    /// <summary>Up to this age the keys count while their issuer does not answer. A withdrawn key is accepted for no longer.</summary>
    public static readonly TimeSpan UsableFor = TimeSpan.FromMinutes(15);

    /// <summary>Anybody can invent a key id: the issuer is asked no more often than this.</summary>
    public static readonly TimeSpan MinInterval = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private Snapshot? _current;
    private Task<Snapshot>? _reading;
    private long? _triedAt;
    private bool _isRefreshRequested;

    private sealed record Snapshot(OpenIdConnectConfiguration Configuration, long ReadAt);

    public override void RequestRefresh()
    {
        lock (_lock) _isRefreshRequested = true;
    }

    public override async Task<BaseConfiguration> GetBaseConfigurationAsync(CancellationToken cancel) => await GetConfigurationAsync(cancel);

    /// <exception cref="InvalidOperationException">There are no usable keys, and their issuer does not answer.</exception>
    public async Task<OpenIdConnectConfiguration> GetConfigurationAsync(CancellationToken cancel)
    {
        Task<Snapshot> reading;
        lock (_lock)
        {
            var age = _current is { } known ? time.GetElapsedTime(known.ReadAt) : TimeSpan.MaxValue;
            var (isRequested, mustWait) = (_isRefreshRequested, _isRefreshRequested || age >= UsableFor);
            _isRefreshRequested = false;
            if (_reading is null && (mustWait || age >= FreshFor) && (_triedAt is not { } tried || time.GetElapsedTime(tried) >= MinInterval)) Begin(isRequested);
            if (age < UsableFor && (!mustWait || _reading is null)) return _current!.Configuration;
            reading = _reading ?? throw new InvalidOperationException("The issuer's keys could not be read a moment ago.");
        }

        try
        {
            return (await reading.WaitAsync(cancel)).Configuration;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            lock (_lock)
            {
                if (_current is { } known && time.GetElapsedTime(known.ReadAt) < UsableFor) return known.Configuration;
            }

            throw new InvalidOperationException("The issuer's keys cannot be read.", exception);
        }
    }

    private void Begin(bool isRequested)
    {
        _triedAt = time.GetTimestamp();
        _reading = Task.Run(() => ReadAsync(isRequested));
        // Its outcome is stored by itself. A failure in the background is seen at the next read.
        _ = _reading.ContinueWith(static read => read.Exception, TaskScheduler.Default);
    }

    private async Task<Snapshot> ReadAsync(bool isRequested)
    {
        var startedAt = time.GetTimestamp();
        try
        {
            // Shared by all callers: no single caller's cancellation ends it. The document retriever has its own timeout.
            var configuration = await OpenIdConnectConfigurationRetriever.GetAsync(metadataAddress, documents, CancellationToken.None);
            if (rules?.Validate(configuration) is { Succeeded: false } verdict) throw new InvalidOperationException(verdict.ErrorMessage);
            var read = new Snapshot(configuration, startedAt);
            lock (_lock)
            {
                _current = read;
                // A read that no unknown key has asked for leaves the next one to it: the issuer may have rotated just after this read.
                if (!isRequested) _triedAt = null;
            }

            return read;
        }
        finally
        {
            lock (_lock) _reading = null;
        }
    }
}
