using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Pulse.Web.Http;

namespace Pulse.Web.Keys;

/// <summary>Registers the keys that all front ends share.</summary>
internal static class KeyRingSetup
{
    /// <summary>Stores the framework's data protection keys in the cluster, encrypted.</summary>
    /// <remarks>
    /// Call it after the silo was added, because the framework reads the ring when the host starts, and hosted services start in order.
    /// </remarks>
    public static void AddPulseKeyRing(this IHostApplicationBuilder builder)
    {
        builder.Services.AddJson(KeyJson.Default);
        builder.Services.AddTokenKeys();
        builder.Services.AddSingleton<KeyRingRepository>();
        // Starts before the framework creates its ring, because a ring of data protection keys without token keys indicates an earlier
        // version.
        builder.Services.AddHostedService<KeyRingUpkeep>();

        // The default name is the installation path, which differs between front ends.
        builder.Services.AddDataProtection().SetApplicationName("pulse");
        builder.Services.AddOptions<KeyManagementOptions>().Configure<KeyRingRepository, KeyRingCipher>((keys, repository, cipher) =>
        {
            keys.XmlRepository = repository;
            keys.XmlEncryptor = cipher;
        });
    }

    /// <summary>Adds the keys that sign Pulse's own tokens. Only <see cref="AddPulseKeyRing"/> creates their ring.</summary>
    public static void AddTokenKeys(this IServiceCollection services)
    {
        services.TryAddSingleton<KeyRingCipher>();
        services.TryAddSingleton<TokenKeys>();
    }
}
