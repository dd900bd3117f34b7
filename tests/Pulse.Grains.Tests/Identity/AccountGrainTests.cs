using System.Security.Cryptography;
using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

/// <summary>Which user an account belongs to, on two silos and a real PostgreSQL.</summary>
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
    public async Task OneSideUnverified_IsTwoUsers_AndLocksNeitherOut(bool existing, bool arriving)
    {
        var first = (await Account("one").SignInAsync(Update(existing), "oidc")).Profile!;

        var second = await Account("two").SignInAsync(Update(arriving), "oidc");
        var third = await Account("three").SyncProfileAsync(Update(verified: false), "token");

        Assert.Equal((ProfileSyncOutcome.Created, ProfileSyncOutcome.Created), (second.Outcome, third.Outcome));
        Assert.Equal(3, new[] { first.Id, second.Profile!.Id, third.Profile!.Id }.Distinct().Count());
        Assert.Equal((Email, existing), (first.Email, first.EmailVerified));
        Assert.Equal((Email, arriving), (second.Profile.Email, second.Profile.EmailVerified));
        Assert.Equal((Email, false), (third.Profile.Email, third.Profile.EmailVerified));
    }

    [Fact]
    public async Task SecondAccountOfOneProvider_WithTheSameProvenEmail_IsRefused()
    {
        var first = (await Account("google").SignInAsync(Update(verified: true), "oidc")).Profile!;

        Assert.Equal(ProfileSyncOutcome.EmailTaken, (await Account("google", "re-issued").SignInAsync(Update(verified: true), "oidc")).Outcome);
        Assert.Equal(ProfileSyncOutcome.EmailTaken, (await Account("google", "re-issued").SyncProfileAsync(Update(verified: true), "token")).Outcome);

        Assert.Null(await Account("google", "re-issued").FindUserAsync());
        Assert.Single(await User(first.Id).ListAccountsAsync());
    }

    [Fact]
    public async Task UpdateForKnownUsersOnly_CreatesNoUser_AndUpdatesExistingOnes()
    {
        var known = Update(verified: true) with { KnownUserOnly = true };
        Assert.Equal(ProfileSyncOutcome.SignUpRefused, (await Account("google").SignInAsync(known, "oidc")).Outcome);
        Assert.Equal(ProfileSyncOutcome.SignUpRefused, (await Account("google").SyncProfileAsync(known, "token")).Outcome);
        Assert.Null(await Account("google").FindUserAsync());
        Assert.False(await Mailbox().HasUserAsync());

        var user = (await Account("google").SignInAsync(Update(verified: true), "oidc")).Profile!;

        Assert.True(await Mailbox().HasUserAsync());
        Assert.Equal(user.Id, (await Mailbox().SignInAsync(known, "email")).Profile?.Id);
        Assert.Equal(user.Id, (await Account("google").SyncProfileAsync(known with { Name = "Ada" }, "token")).Profile?.Id);
        Assert.Equal(ProfileSyncOutcome.SignUpRefused, (await Account("weak").SignInAsync(known with { JoinsByEmail = false }, "oidc")).Outcome);

        IAccountGrain Mailbox() => cluster.Client.GetGrain<IAccountGrain>(new AccountKey("email", Email).ToString());
    }

    [Fact]
    public async Task ProviderThatDoesNotJoin_IsRefused_AndOnlyProvesTheAddress()
    {
        var first = (await Account("google").SignInAsync(Update(verified: true), "oidc")).Profile!;

        Assert.Equal(ProfileSyncOutcome.EmailTaken, (await Account("weak").SignInAsync(Update(verified: true) with { JoinsByEmail = false }, "oidc")).Outcome);
        Assert.Equal(ProfileSyncOutcome.EmailTaken, (await Account("weak").SyncProfileAsync(Update(verified: true) with { JoinsByEmail = false }, "token")).Outcome);

        Assert.Single(await User(first.Id).ListAccountsAsync());
    }

    [Fact]
    public async Task SignIn_FollowsAProvenChangeOfAddress_NameAndPicture()
    {
        var user = (await Account("google").SignInAsync(Update(verified: true) with { Avatar = "https://pictures.example/1.png" }, "oidc")).Profile!;
        var moved = Update(verified: true) with { Email = "new." + Email, Name = "Ada New", Avatar = "https://pictures.example/2.png" };

        var again = (await Account("google").SignInAsync(moved, "oidc")).Profile!;

        Assert.Equal((user.Id, moved.Email, true, "Ada New", moved.Avatar), (again.Id, again.Email, again.EmailVerified, again.Name, again.Avatar));
        Assert.Equal(moved.Email, Assert.Single(await User(user.Id).ListAccountsAsync()).Email);

        // The former address is free, and leads to this user no longer.
        var stranger = (await Account("google", "stranger").SignInAsync(Update(verified: true), "oidc"));
        Assert.Equal(ProfileSyncOutcome.Created, stranger.Outcome);
        Assert.NotEqual(user.Id, stranger.Profile!.Id);
    }

    [Fact]
    public async Task SignIn_WithTheAddressOfAnotherUser_KeepsTheFormerOne()
    {
        await Account("other").SignInAsync(Update(verified: true) with { Email = "other." + Email }, "oidc");
        var user = (await Account("google").SignInAsync(Update(verified: true), "oidc")).Profile!;

        var again = await Account("google").SignInAsync(Update(verified: true) with { Email = "other." + Email, Name = "Ada New" }, "oidc");

        Assert.Equal((ProfileSyncOutcome.Updated, user.Id, Email, "Ada New"), (again.Outcome, again.Profile!.Id, again.Profile.Email, again.Profile.Name));
    }

    [Fact]
    public async Task Sync_WithTheAddressOfAnotherUser_KeepsTheFormerOne()
    {
        await Account("other").SignInAsync(Update(verified: true) with { Email = "other." + Email }, "oidc");
        var user = (await Account("issuer").SyncProfileAsync(Update(verified: true), "token")).Profile!;

        var again = await Account("issuer").SyncProfileAsync(Update(verified: true) with { Email = "other." + Email, Name = "Ada New" }, "token");
        var moved = await Account("issuer").SyncProfileAsync(Update(verified: true) with { Email = "free." + Email }, "token");

        Assert.Equal((ProfileSyncOutcome.Updated, user.Id, Email, "Ada New"), (again.Outcome, again.Profile!.Id, again.Profile.Email, again.Profile.Name));
        Assert.Equal((user.Id, "free." + Email), (moved.Profile!.Id, moved.Profile.Email));
        Assert.Equal("free." + Email, Assert.Single(await User(user.Id).ListAccountsAsync()).Email);
    }

    [Fact]
    public async Task Sync_AfterTheUserHasConfirmedAnotherAddress_KeepsThatOne_AndItsMailbox()
    {
        var user = (await Account("issuer").SyncProfileAsync(Update(verified: true), "token")).Profile!;
        await User(user.Id).SyncProfileAsync(new() { Email = "home." + Email, EmailVerified = true, ConfirmedInSession = Guid.NewGuid() });

        var again = await Account("issuer").SyncProfileAsync(Update(verified: true) with { Name = "Ada New" }, "token");

        Assert.Equal((user.Id, "home." + Email, true, "Ada New"), (again.Profile!.Id, again.Profile.Email, again.Profile.EmailVerified, again.Profile.Name));
        Assert.Contains(await User(user.Id).ListAccountsAsync(), account => account.ProviderAccountId == "home." + Email);
    }

    [Fact]
    public async Task Sync_ByTwoAccountsWithDifferentAddresses_DoesNotSwapThem()
    {
        var user = (await Account("google").SignInAsync(Update(verified: true), "oidc")).Profile!;
        await User(user.Id).LinkAccountAsync(
            new() { Provider = "issuer", ProviderAccountId = _id, Type = "token" }, LinkedAccounts.Mark(await User(user.Id).ListAccountsAsync()), "proof");

        for (var turn = 0; turn < 2; turn++)
        {
            var synced = await Account("issuer").SyncProfileAsync(Update(verified: true) with { Email = "issuer." + Email }, "token");
            Assert.Equal((user.Id, Email), (synced.Profile!.Id, synced.Profile.Email));
        }
    }

    [Fact]
    public async Task SignIn_ByTwoAccountsWithDifferentAddresses_DoesNotSwapThem()
    {
        var user = (await Account("google").SignInAsync(Update(verified: true), "oidc")).Profile!;
        await User(user.Id).LinkAccountAsync(
            new() { Provider = "second", ProviderAccountId = _id, Type = "oidc" }, LinkedAccounts.Mark(await User(user.Id).ListAccountsAsync()), "proof");

        for (var turn = 0; turn < 2; turn++)
        {
            var second = await Account("second").SignInAsync(Update(verified: true) with { Email = "second." + Email, Name = "Second" }, "oidc");
            Assert.Equal((user.Id, Email, "Ada"), (second.Profile!.Id, second.Profile.Email, second.Profile.Name));
        }
    }

    [Fact]
    public async Task LinkAccount_BegunBeforeAnotherLink_IsOutOfDate()
    {
        var user = (await Account("google").SignInAsync(Update(verified: true), "oidc")).Profile!;
        var mark = LinkedAccounts.Mark(await User(user.Id).ListAccountsAsync());
        ExternalAccount[] accounts = [.. Enumerable.Range(0, 5).Select(number => new ExternalAccount { Provider = $"p{number}", ProviderAccountId = _id, Type = "oidc" })];

        var outcomes = await Task.WhenAll(accounts.Select(account => User(user.Id).LinkAccountAsync(account, mark, $"proof of {account.Provider}")));

        Assert.Equal(1, outcomes.Count(outcome => outcome == AccountLinkOutcome.Linked));
        Assert.Equal(4, outcomes.Count(outcome => outcome == AccountLinkOutcome.OutOfDate));

        // Its proof also stays invalid after the account is unlinked.
        var linked = accounts[Array.IndexOf(outcomes, AccountLinkOutcome.Linked)];
        Assert.Equal(AccountLinkOutcome.Unlinked, await Account(linked.Provider).UnlinkAsync(user.Id));
        Assert.Equal(AccountLinkOutcome.OutOfDate, await User(user.Id).LinkAccountAsync(linked, mark, $"proof of {linked.Provider}"));
        Assert.Equal(AccountLinkOutcome.Linked, await User(user.Id).LinkAccountAsync(linked, mark, "a new proof"));
    }

    [Fact]
    public async Task ThirtyProvidersAtOnce_WithOneVerifiedEmail_AreOneUser()
    {
        var results = await Task.WhenAll(Enumerable.Range(0, 30).Select(number => Account($"p{number}").SignInAsync(Update(verified: true), "oidc")));

        var user = Assert.Single(results.Select(result => result.Profile!.Id).Distinct());
        Assert.Equal(30, (await User(user).ListAccountsAsync()).Length);
    }

    [Fact]
    public async Task SignIn_Again_KeepsTheOwnersEdits()
    {
        var user = (await Account("google").SignInAsync(Update(verified: true), "oidc")).Profile!;
        await User(user.Id).SyncProfileAsync(new() { Name = "Countess", EditsName = true, Avatar = "https://pictures.example/own.png", EditsAvatar = true });

        var again = await Account("google").SignInAsync(
            Update(verified: true) with { Email = "new." + Email, Avatar = "https://pictures.example/theirs.png" }, "oidc");

        Assert.Equal(("new." + Email, "Countess", "https://pictures.example/own.png"), (again.Profile!.Email, again.Profile.Name, again.Profile.Avatar));
    }

    [Fact]
    public async Task SignIn_ByTheSameAccount_ProvesItsAddressLater()
    {
        await Account("google").SignInAsync(Update(verified: false), "oidc");
        Assert.True((await Account("google").SignInAsync(Update(verified: true), "oidc")).Profile!.EmailVerified);
    }

    [Fact]
    public async Task UnlinkedAccount_SignsInAsAnotherUser()
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

        Assert.True(await links.AddForAsync(Email, hash));
        var added = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => links.AddForAsync(Email, RandomNumberGenerator.GetBytes(32))));
        Assert.Equal(2, added.Count(one => one));

        Assert.Equal(new(SignInLinkState.Good, Email), await link.PeekAsync());
        var used = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => link.ConsumeAsync()));
        Assert.Single(used, one => one == new SignInLink(SignInLinkState.Good, Email));
        Assert.Equal(19, used.Count(one => one.State == SignInLinkState.Unknown));
    }

    [Fact]
    public async Task SignInLinks_OfKnownBrowsers_AreCountedByThemselves()
    {
        var links = cluster.Client.GetGrain<ISignInLinksGrain>(Email);
        for (var asked = 0; asked < 5; asked++) Assert.Equal(asked < 3, await links.AddForAsync(Email, RandomNumberGenerator.GetBytes(32)));

        for (var asked = 0; asked < 5; asked++) Assert.Equal(asked < 3, await links.AddForKnownBrowserAsync(Email, RandomNumberGenerator.GetBytes(32)));
        Assert.False(await links.AddForAsync(Email, RandomNumberGenerator.GetBytes(32)));
    }

    private IAccountGrain Account(string provider, string suffix = "") => cluster.Client.GetGrain<IAccountGrain>(new AccountKey(provider, _id + suffix).ToString());

    private IUserGrain User(Guid id) => cluster.Client.GetGrain<IUserGrain>(id);

    private ProfileUpdate Update(bool verified) => new() { Email = Email, EmailVerified = verified, JoinsByEmail = true, Name = "Ada" };
}
