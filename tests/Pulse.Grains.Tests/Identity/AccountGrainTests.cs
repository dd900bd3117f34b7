using System.Security.Cryptography;
using Pulse.Identity;
using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

/// <summary>Who an account comes to belong to, on two silos and a real PostgreSQL.</summary>
public sealed class AccountGrainTests(PulseCluster cluster) : IClassFixture<PulseCluster>
{
    private readonly string _id = Guid.NewGuid().ToString("N");

    private string Email => $"{_id}@example.com";

    [Fact]
    public async Task BothSidesVerified_OneUser()
    {
        var first = await Account("google").SignInAsync(Update(verified: true), "oidc");
        var second = await Account("email").SignInAsync(Update(verified: true), "email");
        var third = await Account("https://issuer.example").SyncProfileAsync(Update(verified: true) with { Name = "Ada L." }, "token");

        Assert.Equal(ProfileSyncOutcome.Created, first.Outcome);
        Assert.Equal((ProfileSyncOutcome.Updated, first.Profile!.Id), (second.Outcome, second.Profile!.Id));
        Assert.Equal((first.Profile.Id, "Ada L."), (third.Profile!.Id, third.Profile.Name));
        Assert.Equal(["google", "email", "https://issuer.example"], (await User(first.Profile.Id).ListAccountsAsync()).Select(account => account.Provider));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task OneSideUnverified_NothingIsLinked(bool existing, bool arriving)
    {
        var first = await Account("one").SignInAsync(Update(existing), "oidc");

        Assert.Equal(ProfileSyncOutcome.EmailTaken, (await Account("two").SignInAsync(Update(arriving), "oidc")).Outcome);
        Assert.Equal(ProfileSyncOutcome.EmailTaken, (await Account("two").SyncProfileAsync(Update(arriving), "token")).Outcome);

        Assert.Null(await Account("two").FindUserAsync());
        Assert.Single(await User(first.Profile!.Id).ListAccountsAsync());
    }

    [Fact]
    public async Task ThirtyProvidersAtOnce_WithOneVerifiedEmail_AreOneUser()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 30).Select(number => Account($"p{number}").SignInAsync(Update(verified: true), "oidc")));

        var user = Assert.Single(results.Select(result => result.Profile!.Id).Distinct());
        Assert.Equal(30, (await User(user).ListAccountsAsync()).Length);
    }

    [Fact]
    public async Task SignIn_Again_LeavesWhatTheOwnerEdited()
    {
        var user = (await Account("google").SignInAsync(Update(verified: true), "oidc")).Profile!;
        await User(user.Id).SyncProfileAsync(new() { Name = "Countess", Avatar = "https://pictures.example/own.png" });

        var again = await Account("google").SignInAsync(
            Update(verified: true) with { Email = "new." + Email, Avatar = "https://pictures.example/theirs.png" }, "oidc");

        Assert.Equal((Email, "Countess", "https://pictures.example/own.png"), (again.Profile!.Email, again.Profile.Name, again.Profile.Avatar));
    }

    [Fact]
    public async Task SignIn_ByTheSameAccount_ProvesItsAddressLater()
    {
        await Account("google").SignInAsync(Update(verified: false), "oidc");
        Assert.True((await Account("google").SignInAsync(Update(verified: true), "oidc")).Profile!.EmailVerified);
    }

    [Fact]
    public async Task Unlinked_SignsInAsSomebodyElse()
    {
        var user = (await Account("google").SignInAsync(Update(verified: true), "oidc")).Profile!;
        Assert.Equal(AccountLinkOutcome.LastWayIn, await Account("google").UnlinkAsync(user.Id));
        Assert.Equal(AccountLinkOutcome.Linked, await Account("other").LinkAsync(user.Id, "oidc"));
        Assert.Equal(user.Id, await Account("other").FindUserAsync());

        Assert.Equal(AccountLinkOutcome.Unlinked, await Account("google").UnlinkAsync(user.Id));
        Assert.Null(await Account("google").FindUserAsync());

        var stranger = await Account("google").SignInAsync(Update(verified: true) with { Email = "new." + Email }, "oidc");
        Assert.NotEqual(user.Id, stranger.Profile!.Id);
        Assert.Equal(AccountLinkOutcome.TakenByAnother, await Account("google").LinkAsync(user.Id, "oidc"));
    }

    [Fact]
    public async Task SignInLink_IsGoodOnce_AndThreeToOneMailbox()
    {
        var hash = RandomNumberGenerator.GetBytes(32);
        var links = cluster.Client.GetGrain<ISignInLinksGrain>(Email);
        var link = cluster.Client.GetGrain<ISignInLinkGrain>(SignInLinkKey.From(hash));
        Assert.Equal(SignInLinkState.Unknown, (await link.PeekAsync()).State);

        Assert.True(await links.AddAsync(hash));
        var added = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => links.AddAsync(RandomNumberGenerator.GetBytes(32))));
        Assert.Equal(2, added.Count(one => one));

        Assert.Equal(new(SignInLinkState.Good, Email), await link.PeekAsync());
        var used = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => link.ConsumeAsync()));
        Assert.Single(used, one => one == new SignInLink(SignInLinkState.Good, Email));
        Assert.Equal(19, used.Count(one => one.State == SignInLinkState.Unknown));
    }

    private IAccountGrain Account(string provider) => cluster.Client.GetGrain<IAccountGrain>(new AccountKey(provider, _id).ToString());

    private IUserGrain User(Guid id) => cluster.Client.GetGrain<IUserGrain>(id);

    private ProfileUpdate Update(bool verified) => new() { Email = Email, EmailVerified = verified, Name = "Ada" };
}
