using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace Pulse.Web.Tokens;

/// <summary>Cache of an issuer's published keys. They are read again as they age, and at once for a token with an unknown key.</summary>
/// <remarks>
/// The framework's token handlers call <see cref="RequestRefresh"/> when no key fits a signature, and validate once more if the next
/// <see cref="GetBaseConfigurationAsync"/> returns other keys. The library's own <c>ConfigurationManager</c> refreshes in the background,
/// so that it refuses the request that found the new key, and it keeps withdrawn keys for up to 13 hours.
/// </remarks>
internal sealed class PublishedKeys(
    string metadataAddress, IDocumentRetriever documents, TimeProvider time, IConfigurationValidator<OpenIdConnectConfiguration>? rules = null)
    : BaseConfigurationManager, IConfigurationManager<OpenIdConnectConfiguration>
{
    /// <summary>Age from which the keys are read again in the background.</summary>
    public static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(5);

    /// <summary>Maximum age of the keys while their issuer is unavailable. A withdrawn key is accepted at most this long.</summary>
    public static readonly TimeSpan UsableFor = TimeSpan.FromMinutes(15);

    /// <summary>Minimum interval between two reads, because any client can invent a key id.</summary>
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

    /// <exception cref="InvalidOperationException">There are no usable keys, and their issuer is unavailable.</exception>
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
        catch (Exception exception) when (!cancel.IsCancellationRequested)
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
        // The task stores its own outcome. The next read sees a failure in the background.
        _ = _reading.ContinueWith(static read => read.Exception, TaskScheduler.Default);
    }

    private async Task<Snapshot> ReadAsync(bool isRequested)
    {
        var startedAt = time.GetTimestamp();
        try
        {
            // All callers share the read, so it ignores the cancellation of a single caller. The document retriever has its own timeout.
            var configuration = await OpenIdConnectConfigurationRetriever.GetAsync(metadataAddress, documents, CancellationToken.None);
            if (rules?.Validate(configuration) is { Succeeded: false } verdict) throw new InvalidOperationException(verdict.ErrorMessage);
            var read = new Snapshot(configuration, startedAt);
            lock (_lock)
            {
                _current = read;
                // After a read that was not requested for an unknown key, the next unknown key may cause a read at once, because the issuer
                // may have rotated just after this read.
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
