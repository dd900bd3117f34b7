using System.Security.Cryptography;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Pulse.Grains.Tests;
using Pulse.Identity;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Keys;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Keys;

public sealed class KeyRingTests
{
    [Fact]
    public async Task TwoApplicationsOnOneDatabase_ReadEachOther_AndARestartReadsBoth()
    {
        await using var database = await PostgresTestDatabase.CreateAsync();
        string fromFirst, fromSecond;
        await using (var first = await StartOnAsync(database))
        {
            fromFirst = Protector(first).Protect("from the first");
            await using var second = await StartOnAsync(database);
            Assert.Equal("from the first", Protector(second).Unprotect(fromFirst));
            fromSecond = Protector(second).Protect("from the second");
            Assert.Equal("from the second", Protector(first).Unprotect(fromSecond));
        }

        await using (var restarted = await StartOnAsync(database))
        {
            Assert.Equal("from the first", Protector(restarted).Unprotect(fromFirst));
            Assert.Equal("from the second", Protector(restarted).Unprotect(fromSecond));
            Assert.Single(restarted.Services.GetRequiredService<IKeyManager>().GetAllKeys());
        }
    }

    [Fact]
    public async Task Ring_IsStoredEncrypted()
    {
        await using var pulse = await StartAsync();
        Protector(pulse).Protect("something");

        var stored = Assert.Single(await pulse.Services.GetRequiredService<IGrainFactory>().GetGrain<IKeyRingGrain>("data-protection").GetKeysAsync());

        Assert.Contains("<sealed", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("masterKey", stored, StringComparison.Ordinal);
        Assert.DoesNotContain("<value>", stored, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TwoFrontEnds_ThatBeginTheRingTogether_AgreeOnOneKey()
    {
        await using var pulse = await StartAsync();
        var grains = pulse.Services.GetRequiredService<IGrainFactory>();
        var audit = pulse.Services.GetRequiredService<AuditLog>();
        var (one, other) = (new KeyRingRepository(grains, audit), new KeyRingRepository(grains, audit));
        Assert.Equal(one.GetAllElements().Count, other.GetAllElements().Count);
        var before = one.GetAllElements().Count;

        one.StoreElement(new XElement("key"), "key-1");
        other.StoreElement(new XElement("key"), "key-2");
        Assert.Equal(before + 1, other.GetAllElements().Count);

        // After reading again the front end may write: that is a rotation. A revocation is always allowed.
        other.StoreElement(new XElement("key"), "key-3");
        one.StoreElement(new XElement("revocation"), "revocation-1");
        Assert.Equal(before + 3, one.GetAllElements().Count);
    }

    [Fact]
    public async Task Ring_UnderAnotherSigningKey_BeginsAnew()
    {
        var data = Directory.CreateTempSubdirectory("pulse-ring-");
        string old;
        await using (var before = await StartAsync(data)) old = Protector(before).Protect("old");

        await using (var after = await StartAsync(data, KeyValuePair.Create("Pulse:Auth:SigningKey", TestTokens.OtherKey + " and more")))
        {
            Assert.ThrowsAny<CryptographicException>(() => Protector(after).Unprotect(old));
            Assert.Equal("new", Protector(after).Unprotect(Protector(after).Protect("new")));
        }

        data.Delete(recursive: true);
    }

    [Fact]
    public async Task Ring_UnderASigningKeyThatIsListedAsPrevious_GoesOn()
    {
        var data = Directory.CreateTempSubdirectory("pulse-ring-");
        string old;
        await using (var before = await StartAsync(data)) old = Protector(before).Protect("old");

        await using (var after = await StartAsync(
            data, KeyValuePair.Create("Pulse:Auth:SigningKey", TestTokens.OtherKey + " and more"), KeyValuePair.Create("Pulse:Auth:PreviousSigningKeys:0", TestTokens.Key)))
        {
            Assert.Equal("old", Protector(after).Unprotect(old));
            await after.Services.GetServices<IHostedService>().OfType<KeyRingUpkeep>().Single().EncryptAnewAsync();
        }

        await using (var later = await StartAsync(data, KeyValuePair.Create("Pulse:Auth:SigningKey", TestTokens.OtherKey + " and more")))
        {
            Assert.Equal("old", Protector(later).Unprotect(old));
            Assert.Single(later.Services.GetRequiredService<IKeyManager>().GetAllKeys());
        }

        data.Delete(recursive: true);
    }

    [Fact]
    public void Cipher_RoundTripsAndRefusesChangedText()
    {
        var cipher = NewCipher(TestTokens.Key);
        var secret = XElement.Parse("<key><masterKey>secret</masterKey></key>");
        var sealedOnce = cipher.Encrypt(secret);

        Assert.Equal(typeof(KeyRingDecryptor), sealedOnce.DecryptorType);
        Assert.Equal(secret.ToString(), cipher.Decrypt(sealedOnce.EncryptedElement).ToString());
        Assert.NotEqual(sealedOnce.EncryptedElement.Value, cipher.Encrypt(secret).EncryptedElement.Value);
        Assert.ThrowsAny<CryptographicException>(() => NewCipher(TestTokens.OtherKey).Decrypt(sealedOnce.EncryptedElement));

        var bytes = Convert.FromBase64String(sealedOnce.EncryptedElement.Value);
        foreach (var i in new[] { 0, 12, 28, bytes.Length - 1 })
        {
            var changed = (byte[])bytes.Clone();
            changed[i] ^= 1;
            Assert.ThrowsAny<CryptographicException>(() => cipher.Decrypt(new XElement("sealed", Convert.ToBase64String(changed))));
        }

        Assert.ThrowsAny<CryptographicException>(() => cipher.Decrypt(new XElement("sealed", Convert.ToBase64String(bytes[..20]))));
    }

    private static KeyRingCipher NewCipher(string signingKey) => new(Options.Create(new AuthOptions { SigningKey = signingKey }));

    private static IDataProtector Protector(Application pulse) => pulse.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("test");

    /// <summary>A separate cluster, with its own grains, on that database.</summary>
    private static Task<Application> StartOnAsync(PostgresTestDatabase database) => StartAsync(
        null,
        KeyValuePair.Create("ConnectionStrings:Postgres", database.ConnectionString),
        KeyValuePair.Create("ConnectionStrings:Redis", TestServers.Redis),
        KeyValuePair.Create("Pulse:Cluster:AdvertisedAddress", "127.0.0.1"),
        KeyValuePair.Create("Pulse:Cluster:ClusterId", $"key-ring-{Guid.NewGuid():N}"));

    private static async Task<Application> StartAsync(DirectoryInfo? data = null, params KeyValuePair<string, string>[] settings)
    {
        var application = new Application([.. settings, .. data is null ? [] : new[] { KeyValuePair.Create("Pulse:DataDirectory", data.FullName) }]);
        await application.InitializeAsync();
        return application;
    }

    private sealed class Application(IEnumerable<KeyValuePair<string, string>> settings) : PulseApplication(settings), IAsyncDisposable
    {
        async ValueTask IAsyncDisposable.DisposeAsync() => await DisposeAsync();
    }
}
