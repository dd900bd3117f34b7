using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Users;

/// <summary>A user's profile, through the user's grain.</summary>
[Collection(SharedPatientCluster.Name)]
public sealed class UserGrainProfileTests(PatientCluster cluster) : OneUser(cluster)
{
    [Fact]
    public async Task Sync_OneHundredAtOnce_CreatesOnce()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => User.SyncProfileAsync(Update())));

        Assert.Single(results, result => result.Outcome == ProfileSyncOutcome.Created);
        Assert.Equal(99, results.Count(result => result.Outcome == ProfileSyncOutcome.Updated));
    }

    [Fact]
    public async Task Sync_OfFiftyUsersWithOneEmail_LetsExactlyOneWin()
    {
        var email = $"{Id:N}@race.test";
        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ =>
            Cluster.Client.GetGrain<IUserGrain>(Guid.CreateVersion7()).SyncProfileAsync(new() { Email = email, EmailVerified = true, Name = "Racer" })));

        Assert.Single(results, result => result.Outcome == ProfileSyncOutcome.Created);
        Assert.Equal(49, results.Count(result => result.Outcome == ProfileSyncOutcome.EmailTaken));
    }

    [Fact]
    public async Task Sync_WithoutEmail_OfANewUser_WritesNothing()
    {
        Assert.Equal(ProfileSyncOutcome.EmailMissing, (await User.SyncProfileAsync(new() { Name = "Nobody" })).Outcome);
        Assert.Null(await User.GetProfileAsync());
    }

    [Fact]
    public async Task Profile_OutlivesItsActivation()
    {
        var created = (await User.SyncProfileAsync(Update() with { Avatar = "https://pictures.test/1.png" })).Profile;
        await Cluster.Cluster.DeactivateAsync(User);

        Assert.Equal(created, await User.GetProfileAsync());
    }

    [Fact]
    public async Task Account_SyncedByOneHundredAtOnce_IsOneUser()
    {
        var account = Cluster.Client.GetGrain<IAccountGrain>(new AccountKey("https://issuer.test", Id.ToString()).ToString());
        var results = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => account.SyncProfileAsync(Update(), "token")));

        Assert.Single(results.Select(result => result.Profile!.Id).Distinct());
        Assert.Equal(results[0].Profile!.Id, await account.FindUserAsync());
    }
}
