using System.Security.Cryptography;
using System.Xml.Linq;
using Pulse.Identity;
using Pulse.Silo.Clock;
using Pulse.Web.Auth;

namespace Pulse.Web.Keys;

/// <summary>Begins the ring of token keys when the process starts, follows what other front ends change in it, and keeps both rings in order.</summary>
internal sealed partial class KeyRingUpkeep(
    IGrainFactory grains, TokenKeys tokenKeys, KeyRingCipher cipher, [FromKeyedServices(ClockSetup.WallClock)] TimeProvider time,
    ILogger<KeyRingUpkeep> logger)
    : BackgroundService
{
    private static readonly TimeSpan s_readInterval = TimeSpan.FromSeconds(30);

    // Longer than a rolling restart with a new SigningKey: front ends that lack the new value cannot read what is encrypted under it.
    private static readonly TimeSpan s_upkeepInterval = TimeSpan.FromHours(1);

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await FollowAsync();
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var keptAt = time.GetTimestamp();
        using var timer = new PeriodicTimer(s_readInterval, time);
        try
        {
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

    private async Task FollowAsync()
    {
        try
        {
            if (tokenKeys.Known is { Keys.Length: > 0 }) await tokenKeys.TryReadAsync();
            else await tokenKeys.EnsureAsync();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            // The silos or the database do not answer yet. Until they do, tokens are signed with SigningKey.
            LogNotBegun(exception.GetType().Name);
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

    /// <summary>Encrypts what is under one of <see cref="AuthOptions.PreviousSigningKeys"/> under the present key, so that an operator can take the old one out of the list.</summary>
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

            // As the framework stores a key; a revocation has nothing encrypted.
            if (element.Descendants(KeyRingCipher.ElementName).FirstOrDefault() is not { } part || element.Attribute("id")?.Value is not { } id) return null;
            var secret = cipher.Decrypt(part, out var isPresent);
            if (isPresent) return null;
            part.ReplaceWith(cipher.Encrypt(secret).EncryptedElement);
            return (KeyRingRepository.KeyPrefix + id, element);
        }
        catch (CryptographicException)
        {
            // Under a signing key that is not accepted here.
            return null;
        }
    }

    [LoggerMessage(1183, LogLevel.Warning, "The ring of token keys cannot be read ({Reason}); it is tried again every 30 s")]
    private partial void LogNotBegun(string reason);

    [LoggerMessage(1184, LogLevel.Warning, "The key rings could not be tidied up ({Reason}); it is tried again in an hour")]
    private partial void LogNotKept(string reason);
}
