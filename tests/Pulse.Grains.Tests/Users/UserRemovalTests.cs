using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Presence;
using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Users;

/// <summary>Erasing and disabling a user, through the user's grain.</summary>
[Collection(SharedPatientCluster.Name)]
public sealed class UserRemovalTests(PatientCluster cluster) : OneUser(cluster)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task RemovedUser_IsOffline_ClosesAllSockets_AndAcceptsNoNewOne(bool erase)
    {
        await SyncAsync();
        await User.ConnectAsync(Lease("a") with { SessionId = Guid.NewGuid() }, Cluster.FrontEnd);
        await User.ConnectAsync(Lease("b"), Cluster.FrontEnd);
        await User.WatchAsync(Cluster.FrontEnd, 0);

        Assert.True(await RemoveAsync(erase));

        await Cluster.Told.ClosesAsync(Id, 2);
        Assert.Equal(
            [($"{Id:N}-a", CloseReason.UserRemoved), ($"{Id:N}-b", CloseReason.UserRemoved)], Cluster.Told.ClosedOf(Id).OrderBy(closed => closed.ConnectionId));
        await Eventually.AsyncEqual(PresenceStatus.Offline, () => Task.FromResult(Cluster.Told.ChangesOf(Id).LastOrDefault()?.Status ?? PresenceStatus.Online));
        Assert.Equal(PresenceStatus.Offline, (await User.GetPresenceAsync()).Status);
        Assert.Empty(await User.ListConnectionsAsync());

        // A connect whose token was checked before, and a renewal of a front end that was not asked to close its sockets.
        await Assert.ThrowsAsync<UserRefusedException>(() => User.ConnectAsync(Lease("c") with { SessionId = Guid.NewGuid() }, Cluster.FrontEnd));
        await User.RenewAsync([Lease("d")], Cluster.FrontEnd);
        Assert.Contains(($"{Id:N}-d", CloseReason.UserRemoved), Cluster.Told.ClosedOf(Id));
        Assert.Equal(PresenceStatus.Offline, (await User.GetPresenceAsync()).Status);
        Assert.DoesNotContain(Cluster.Told.ChangesOf(Id).SkipWhile(change => change.Status != PresenceStatus.Offline), change => change.Status != PresenceStatus.Offline);
    }

    [Theory]
    [InlineData(true, UserState.Erased)]
    [InlineData(false, UserState.Disabled)]
    public async Task RemovedUser_IsRefused_ByANewActivation(bool erase, UserState state)
    {
        await SyncAsync();
        Assert.True(await RemoveAsync(erase));
        await Cluster.Cluster.DeactivateAsync(User);

        var refused = await Assert.ThrowsAsync<UserRefusedException>(() => User.ConnectAsync(Lease("a"), Cluster.FrontEnd));

        Assert.Equal(state, refused.State);
        Assert.Equal(state, await User.GetStateAsync());
        Assert.Equal(erase ? ProfileSyncOutcome.Erased : ProfileSyncOutcome.Disabled, (await SyncAsync()).Outcome);
        Assert.Equal(erase, await User.GetProfileAsync() is null);
    }

    [Fact]
    public async Task EnabledUser_IsAsBefore()
    {
        var before = (await SyncAsync()).Profile;
        await User.SetDisabledAsync(true);
        Assert.NotNull((await User.GetProfileAsync())!.DisabledAt);

        Assert.True(await User.SetDisabledAsync(false));

        Assert.Equal(before, await User.GetProfileAsync());
        await User.ConnectAsync(Lease("a"), Cluster.FrontEnd);
        Assert.Equal(PresenceStatus.Online, (await User.GetPresenceAsync()).Status);
    }

    [Fact]
    public async Task UnknownUser_IsNeitherErasedNorDisabled()
    {
        Assert.False(await User.EraseAsync());
        Assert.False(await User.SetDisabledAsync(true));
        Assert.Equal(UserState.Unknown, await User.GetStateAsync());
        Assert.Equal(ProfileSyncOutcome.Created, (await SyncAsync()).Outcome);
    }

    [Fact]
    public async Task TrustedAccountOfAnErasedUser_RefusesEarlierTokens_AndMakesANewUserForALaterOne()
    {
        var account = Cluster.Client.GetGrain<IAccountGrain>(new AccountKey("https://issuer.test", Id.ToString()).ToString());
        var now = TimeProvider.System.GetUtcNow();
        var former = (await account.SyncProfileAsync(Update() with { TokenIssuedAt = now.AddMinutes(-1) }, "token")).Profile!.Id;
        await Cluster.Client.GetGrain<IUserGrain>(former).EraseAsync();

        Assert.Equal(ProfileSyncOutcome.Erased, (await account.SyncProfileAsync(Update() with { TokenIssuedAt = now.AddMinutes(-1) }, "token")).Outcome);
        Assert.Equal(ProfileSyncOutcome.Erased, (await account.SyncProfileAsync(Update(), "token")).Outcome);
        var result = await account.SyncProfileAsync(Update() with { TokenIssuedAt = now.AddMinutes(1) }, "token");

        Assert.Equal(ProfileSyncOutcome.Created, result.Outcome);
        Assert.NotEqual(former, result.Profile!.Id);
        Assert.Equal(ProfileSyncOutcome.Erased, (await account.SyncProfileAsync(Update() with { TokenIssuedAt = now.AddMinutes(-1) }, "token")).Outcome);
    }

    [Fact]
    public async Task CloseConnection_ClosesThatOne()
    {
        await User.ConnectAsync(Lease("a"), Cluster.FrontEnd);
        await User.ConnectAsync(Lease("b"), Cluster.FrontEnd);

        Assert.True(await User.CloseConnectionAsync($"{Id:N}-a"));
        Assert.False(await User.CloseConnectionAsync("unknown"));

        await Cluster.Told.ClosesAsync(Id, 1);
        Assert.Equal([($"{Id:N}-a", CloseReason.ClosedByOperator)], Cluster.Told.ClosedOf(Id));
    }

    private Task<bool> RemoveAsync(bool erase) => erase ? User.EraseAsync() : User.SetDisabledAsync(true);
}
