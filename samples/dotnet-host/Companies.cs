using Microsoft.Extensions.Caching.Memory;
using Pulse.Users;

namespace Pulse.Samples.Host;

/// <summary>Finds the company of a user: the domain of the proven e-mail address. Stands in for an application's own data.</summary>
internal sealed class Companies(IGrainFactory grains, IMemoryCache cache)
{
    private static readonly TimeSpan s_lifetime = TimeSpan.FromMinutes(1);

    /// <summary>The domain, or <see langword="null"/> for an unknown user and for a user without a proven address.</summary>
    /// <remarks>Mostly answers from memory, because Pulse asks its presence policy about each watched user every few seconds.</remarks>
    public async ValueTask<string?> OfAsync(Guid userId)
    {
        if (cache.TryGetValue<string>(userId, out var known)) return known;

        var profile = await grains.GetGrain<IUserGrain>(userId).GetProfileAsync();
        if (profile is not { EmailVerified: true, Email: { } email }) return null;

        return cache.Set(userId, email[(email.IndexOf('@', StringComparison.Ordinal) + 1)..], s_lifetime);
    }
}
