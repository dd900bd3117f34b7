using System.Security.Cryptography;
using System.Xml.Linq;
using Pulse.Identity;
using Pulse.Silo.Clock;
using Pulse.Web.Auth;

namespace Pulse.Web.Keys;

/// <summary>
/// Creates the ring of token keys when the process starts, reads other front ends' changes of it, and maintains both rings.
/// </summary>
internal sealed partial class KeyRingUpkeep(
    IGrainFactory grains, TokenKeys tokenKeys, KeyRingCipher cipher, [FromKeyedServices(ClockSetup.WallClock)] TimeProvider time,
    ILogger<KeyRingUpkeep> logger)
    : BackgroundService
{
    private static readonly TimeSpan s_readInterval = TimeSpan.FromSeconds(30);

    // Until the first read, tokens are signed with SigningKey, which other programs cannot verify.
    private static readonly TimeSpan s_firstReadInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_lateReadInterval = TimeSpan.FromSeconds(4);

    // Longer than a rolling restart with a new SigningKey, because front ends without the new value cannot read elements that are encrypted
    // under it.
    private static readonly TimeSpan s_upkeepInterval = TimeSpan.FromHours(1);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await FollowAsync(logs: false);
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var keptAt = time.GetTimestamp();
        try
        {
            await FollowSoonAsync(stoppingToken);
            using var timer = new PeriodicTimer(s_readInterval, time);
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                await FollowAsync();
                if (time.GetElapsedTime(keptAt) < s_upkeepInterval) continue;
                keptAt = time.GetTimestamp();
                await KeepAsync();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The process stops.
        }
    }

    // A front end that starts before its silos reads the ring as soon as they answer.
    private async Task FollowSoonAsync(CancellationToken stoppingToken)
    {
        var (since, pause) = (time.GetTimestamp(), s_firstReadInterval);
        while (tokenKeys.Known is not { Keys.Length: > 0 })
        {
            await Task.Delay(pause, time, stoppingToken);
            var isLate = time.GetElapsedTime(since) >= s_readInterval;
            // After a while it is no silo that starts, but a fault.
            if (isLate) (since, pause) = (time.GetTimestamp(), s_lateReadInterval);
            await FollowAsync(logs: isLate);
        }
    }

    private async Task FollowAsync(bool logs = true)
    {
        try
        {
            if (tokenKeys.Known is { Keys.Length: > 0 }) await tokenKeys.TryReadAsync();
            else await tokenKeys.EnsureAsync();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The silos or the database are not available yet. Until then, tokens are signed with SigningKey.
            if (logs) LogNotBegun(exception.GetType().Name);
        }
    }

    private async Task KeepAsync()
    {
        try
        {
            await tokenKeys.RetireOutlivedAsync();
            await EncryptAnewAsync();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            LogNotKept(exception.GetType().Name);
        }
    }

    /// <summary>
    /// Encrypts elements under one of <see cref="AuthOptions.PreviousSigningKeys"/> again under the present key, so that an operator can
    /// remove the old one from the list.
    /// </summary>
    internal async Task EncryptAnewAsync()
    {
        foreach (var ringName in (string[])[KeyRingRepository.RingName, TokenKeys.RingName])
        {
            var ring = grains.GetGrain<IKeyRingGrain>(ringName);
            foreach (var element in (await ring.GetKeysAsync()).Select(XElement.Parse))
            {
                if (EncryptAnew(element) is var (name, changed)) await ring.AddKeyAsync(name, changed.ToString(SaveOptions.DisableFormatting));
            }
        }
    }

    private (string Name, XElement Element)? EncryptAnew(XElement element)
    {
        try
        {
            if (element.Name == KeyRingCipher.ElementName)
            {
                var plain = cipher.Decrypt(element, out var isCurrent);
                return isCurrent ? null : (TokenKey.Read(plain).ElementKey, cipher.Encrypt(plain).EncryptedElement);
            }

            // The framework's format of a key. A revocation has no encrypted part.
            if (element.Descendants(KeyRingCipher.ElementName).FirstOrDefault() is not { } part || element.Attribute("id")?.Value is not { } id) return null;
            var secret = cipher.Decrypt(part, out var isPresent);
            if (isPresent) return null;
            part.ReplaceWith(cipher.Encrypt(secret).EncryptedElement);
            return (KeyRingRepository.KeyPrefix + id, element);
        }
        catch (CryptographicException)
        {
            // The element is under an unknown signing key.
            return null;
        }
    }

    [LoggerMessage(1183, LogLevel.Warning, "The ring of token keys cannot be read ({Reason}). The read is retried.")]
    private partial void LogNotBegun(string reason);

    [LoggerMessage(1184, LogLevel.Warning, "The key rings could not be maintained ({Reason}). This is retried in an hour.")]
    private partial void LogNotKept(string reason);
}
