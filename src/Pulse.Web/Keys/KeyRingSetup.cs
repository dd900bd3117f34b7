using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Pulse.Web.Http;

namespace Pulse.Web.Keys;

/// <summary>Sets up the keys that all front ends share.</summary>
internal static class KeyRingSetup
{
    /// <summary>Keeps the framework's data protection keys in the cluster, encrypted.</summary>
    /// <remarks>To be called after the silo was added: the framework reads the ring when the host starts, and hosted services start in order.</remarks>
    public static void AddPulseKeyRing(this IHostApplicationBuilder builder)
    {
        builder.Services.AddJson(KeyJson.Default);
        builder.Services.AddTokenKeys();
        builder.Services.AddSingleton<KeyRingRepository>();
        // Before the framework begins its ring: a ring of data protection keys without token keys is an earlier version's.
        builder.Services.AddHostedService<KeyRingUpkeep>();

        // Front ends differ in where they are installed, which would otherwise be the application's name.
        builder.Services.AddDataProtection().SetApplicationName("pulse");
        builder.Services.AddOptions<KeyManagementOptions>().Configure<KeyRingRepository, KeyRingCipher>((keys, repository, cipher) =>
        {
            keys.XmlRepository = repository;
            keys.XmlEncryptor = cipher;
        });
    }

    /// <summary>Adds the keys that sign Pulse's own tokens; without <see cref="AddPulseKeyRing"/> nothing begins their ring.</summary>
    public static void AddTokenKeys(this IServiceCollection services)
    {
        services.TryAddSingleton<KeyRingCipher>();
        services.TryAddSingleton<TokenKeys>();
    }
}
