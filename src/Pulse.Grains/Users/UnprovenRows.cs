using Microsoft.Extensions.DependencyInjection;
using Orleans.Metadata;
using Orleans.Runtime;
using Pulse.Identity;

namespace Pulse.Grains.Users;

/// <summary>Whether <c>users.email</c> may be NULL. A silo of the version before 004_addresses.sql cannot read such a row.</summary>
/// <remarks>
/// Each silo publishes the grain interfaces that it hosts. A silo that hosts <see cref="INoticesGrain"/>, which was added with the script,
/// can read NULL. Every member is checked unless it is known to be dead. A joining member has published nothing yet and so counts as older.
/// An older silo refuses to start once the script is applied, so a positive answer remains true. The answer is negative until this silo is
/// active.
/// </remarks>
internal sealed class UnprovenRows(IServiceProvider services)
{
    private bool _mayBeNull;

    /// <summary>The current answer. It is positive without a cluster, as in tools and tests of stores.</summary>
    public bool MayBeNull => _mayBeNull || (_mayBeNull = Ask());

    private bool Ask()
    {
        if (services.GetService<IClusterMembershipService>() is not { } membership) return true;

        var members = membership.CurrentSnapshot.Members;
        if (!members.TryGetValue(services.GetRequiredService<ILocalSiloDetails>().SiloAddress, out var self) || self.Status != SiloStatus.Active) return false;

        var published = services.GetRequiredService<IClusterManifestProvider>().Current.Silos;
        var mark = services.GetRequiredService<GrainInterfaceTypeResolver>().GetGrainInterfaceType(typeof(INoticesGrain));
        return members.Values
            .Where(member => member.Status is not (SiloStatus.Dead or SiloStatus.None))
            .All(member => published.TryGetValue(member.SiloAddress, out var manifest) && manifest.Interfaces.ContainsKey(mark));
    }
}
