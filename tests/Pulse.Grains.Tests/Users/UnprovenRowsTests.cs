using System.Collections.Immutable;
using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Metadata;
using Orleans.Runtime;
using Pulse.Grains.Storage;
using Pulse.Grains.Tests.Storage;
using Pulse.Grains.Users;
using Pulse.Identity;
using Xunit;

namespace Pulse.Grains.Tests.Users;

/// <summary>A row that an older silo cannot read is written only when all silos are new.</summary>
public sealed class UnprovenRowsTests(PulseCluster cluster, PostgresStores stores) : IClassFixture<PulseCluster>, IClassFixture<PostgresStores>
{
    private static readonly SiloAddress s_self = SiloAddress.New(IPAddress.Loopback, 1, 1);
    private static readonly SiloAddress s_other = SiloAddress.New(IPAddress.Loopback, 2, 1);

    [Theory]
    [InlineData(SiloStatus.Active, true, true)]
    [InlineData(SiloStatus.Active, false, false)]
    [InlineData(SiloStatus.Joining, null, false)]
    [InlineData(SiloStatus.ShuttingDown, false, false)]
    [InlineData(SiloStatus.Dead, false, true)]
    [InlineData(SiloStatus.Dead, null, true)]
    public async Task OlderMember_KeepsTheColumnReadable(SiloStatus status, bool? hostsNotices, bool mayBeNull)
    {
        var unproven = new UnprovenRows(Cluster(SiloStatus.Active, status, hostsNotices));
        var users = new PostgresUserStore((PostgresDatabase)stores.Database, unproven, stores.StartProcess().GetRequiredService<StoreMetrics>());
        var user = TestUsers.New() with { EmailVerified = false };

        Assert.Equal(mayBeNull, unproven.MayBeNull);
        Assert.Equal((null, UserWrite.Saved), await users.FindOrInsertAsync(user));

        // As the previous version reads it.
        var email = await stores.ExecuteAsync($"SELECT email FROM users WHERE id = '{user.Id}'");
        Assert.Equal(mayBeNull ? DBNull.Value : $"{user.Id:D}@unproven.invalid", email);
        Assert.Equal(user, await ((IUserStore)users).FindAsync(user.Id));

        Assert.Equal(UserWrite.Saved, await users.UpdateProfileAsync(user with { EmailVerified = true }));
        Assert.Equal(user.Email, await stores.ExecuteAsync($"SELECT email FROM users WHERE id = '{user.Id}'"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(SiloStatus.Joining)]
    public void BeforeThisSiloIsActive_NullIsNotAllowed(SiloStatus? self) => Assert.False(new UnprovenRows(Cluster(self, SiloStatus.Dead, null)).MayBeNull);

    [Fact]
    public void ClusterOfThisVersion_WritesNull() => Assert.All(
        cluster.Cluster.Silos, silo => Assert.True(cluster.Cluster.GetSiloServiceProvider(silo.SiloAddress).GetRequiredService<UnprovenRows>().MayBeNull));

    private ServiceProvider Cluster(SiloStatus? self, SiloStatus other, bool? otherHostsNotices)
    {
        var resolver = cluster.Cluster.GetSiloServiceProvider().GetRequiredService<GrainInterfaceTypeResolver>();
        var notices = resolver.GetGrainInterfaceType(typeof(INoticesGrain));
        var members = ImmutableDictionary.CreateBuilder<SiloAddress, ClusterMember>();
        if (self is { } status) members[s_self] = new(s_self, status, "self");
        members[s_other] = new(s_other, other, "other");

        var manifests = ImmutableDictionary.CreateBuilder<SiloAddress, GrainManifest>();
        manifests[s_self] = Manifest(notices);
        if (otherHostsNotices is { } hosts) manifests[s_other] = hosts ? Manifest(notices) : Manifest();
        return new ServiceCollection()
            .AddSingleton<ILocalSiloDetails>(new Local())
            .AddSingleton<IClusterMembershipService>(new Membership(new(members.ToImmutable(), new(1))))
            .AddSingleton<IClusterManifestProvider>(new Manifests(new(new(1, 0), manifests.ToImmutable())))
            .AddSingleton(resolver)
            .BuildServiceProvider();
    }

    private static GrainManifest Manifest(params GrainInterfaceType[] interfaces) => new(
        ImmutableDictionary<GrainType, GrainProperties>.Empty,
        interfaces.ToImmutableDictionary(type => type, _ => new GrainInterfaceProperties(ImmutableDictionary.Create<string, string>(StringComparer.Ordinal))));

    private sealed class Local : ILocalSiloDetails
    {
        public string Name => "self";

        public string ClusterId => "test";

        public string DnsHostName => "localhost";

        public SiloAddress SiloAddress => s_self;

        public SiloAddress GatewayAddress => s_self;
    }

    private sealed class Membership(ClusterMembershipSnapshot snapshot) : IClusterMembershipService
    {
        public ClusterMembershipSnapshot CurrentSnapshot => snapshot;

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

        public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default) => default;

        public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();
    }

    private sealed class Manifests(ClusterManifest manifest) : IClusterManifestProvider
    {
        public ClusterManifest Current => manifest;

        public IAsyncEnumerable<ClusterManifest> Updates => throw new NotSupportedException();

        public GrainManifest LocalGrainManifest => manifest.Silos[s_self];
    }
}
