using System.Security.Cryptography;
using Pulse.Accounts;
using Pulse.Grains.Accounts;
using Pulse.Grains.Identity;
using Pulse.Grains.Tests.Storage;
using Pulse.Grains.Tests.Users;
using Pulse.Grains.Users;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

/// <summary>The behaviour of every <see cref="Pulse.Grains.Accounts.IAccountStore"/> when accounts are linked and unlinked.</summary>
public abstract class AccountLinkContract(StoresFixture stores)
{
    private static readonly DateTimeOffset s_now = TestUsers.Noon;
    private readonly string _id = Guid.NewGuid().ToString();

    [Fact]
    public async Task Link_ListsIt_OldestFirst()
    {
        var user = await InsertAsync();
        var (one, two) = (Account("one"), Account("two"));
        Assert.Equal(user.Id, await stores.Accounts.LinkAsync(one, user.Id, s_now));
        // Rows of one millisecond are in the order of their ids.
        Assert.Equal(user.Id, await stores.Accounts.LinkAsync(two, user.Id, s_now.AddSeconds(1)));
        Assert.Equal(user.Id, await stores.Accounts.LinkAsync(one, user.Id, s_now.AddSeconds(2)));

        Assert.Equal([one, two], (await stores.Accounts.ListAsync(user.Id)).Select(AsBefore));
        Assert.Empty(await stores.Accounts.ListAsync(Guid.NewGuid()));
    }

    [Fact]
    public async Task Link_OfAnotherUsersAccount_ReturnsItsUser()
    {
        var (first, second) = (await InsertAsync(), await InsertAsync());
        await stores.Accounts.LinkAsync(Account("one"), first.Id, s_now);

        Assert.Equal(first.Id, await stores.Accounts.LinkAsync(Account("one"), second.Id, s_now));
        Assert.Empty(await stores.Accounts.ListAsync(second.Id));
    }

    [Fact]
    public async Task Link_ByTwentyUsersAtOnce_OneGetsIt()
    {
        var users = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => InsertAsync()));

        var owners = await Task.WhenAll(users.Select(user => Task.Run(() => stores.Accounts.LinkAsync(Account("one"), user.Id, s_now))));

        Assert.Single(owners.Distinct());
        Assert.Equal(owners[0], (await stores.Accounts.FindAsync("one", _id))?.UserId);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(false, false)]
    public async Task LinkByEmail_NeedsTheUsersProof(bool verified, bool linked)
    {
        var user = await InsertAsync(verified);

        Assert.Equal(linked ? user.Id : null, await stores.Accounts.LinkByEmailAsync(Account("one"), user.Email, s_now));

        Assert.Equal(linked ? user.Id : null, (await stores.Accounts.FindAsync("one", _id))?.UserId);
    }

    [Fact]
    public async Task LinkByEmail_OfAnUnknownAddressOrAnotherUsersAccount_LinksNothing()
    {
        var (user, other) = (await InsertAsync(verified: true), await InsertAsync());
        Assert.Null(await stores.Accounts.LinkByEmailAsync(Account("one"), $"nobody.{user.Email}", s_now));

        await stores.Accounts.LinkAsync(Account("one"), other.Id, s_now);
        Assert.Null(await stores.Accounts.LinkByEmailAsync(Account("one"), user.Email, s_now));
        Assert.Equal(other.Id, (await stores.Accounts.FindAsync("one", _id))?.UserId);
    }

    [Fact]
    public async Task LinkByEmail_UserHasAnAccountOfThatProvider_LinksNothing()
    {
        var user = await InsertAsync(verified: true);
        await stores.Accounts.LinkAsync(Account("one") with { ProviderAccountId = $"former {_id}" }, user.Id, s_now);

        Assert.Null(await stores.Accounts.LinkByEmailAsync(Account("one"), user.Email, s_now));
        Assert.Equal(user.Id, await stores.Accounts.LinkByEmailAsync(Account("two"), user.Email, s_now));
    }

    [Fact]
    public async Task LinkByEmail_OfManyAccountsOfOneProviderAtOnce_LinksOne()
    {
        for (var round = 0; round < 5; round++)
        {
            var user = await InsertAsync(verified: true);
            var accounts = Enumerable.Range(0, 10).Select(number => Account("one") with { ProviderAccountId = $"{round}.{number} {_id}" });

            var owners = await Task.WhenAll(accounts.Select(account => Task.Run(() => stores.Accounts.LinkByEmailAsync(account, user.Email, s_now))));

            Assert.Single(owners, owner => owner == user.Id);
            Assert.Single(await stores.Accounts.ListAsync(user.Id));
        }
    }

    [Fact]
    public async Task SaveEmail_IsListed()
    {
        var user = await InsertAsync();
        await stores.Accounts.LinkAsync(Account("one") with { Email = "old@example.com" }, user.Id, s_now);
        Assert.Equal(new(user.Id, "old@example.com"), await stores.Accounts.FindAsync("one", _id));

        await stores.Accounts.SaveEmailAsync("one", _id, user.Id, "new@example.com");
        await stores.Accounts.SaveEmailAsync("one", _id, Guid.NewGuid(), "of.another.user@example.com");

        Assert.Equal("new@example.com", Assert.Single(await stores.Accounts.ListAsync(user.Id)).Email);
    }

    [Fact]
    public async Task Unlink_KeepsTheLastOne()
    {
        var user = await InsertAsync();
        await stores.Accounts.LinkAsync(Account("one"), user.Id, s_now);
        await stores.Accounts.LinkAsync(Account("two"), user.Id, s_now);

        Assert.Equal(AccountLinkOutcome.Unlinked, await UnlinkAsync("one", user.Id));
        Assert.Equal(AccountLinkOutcome.NotLinked, await UnlinkAsync("one", user.Id));
        Assert.Equal(AccountLinkOutcome.LastWayIn, await UnlinkAsync("two", user.Id));
        Assert.Equal(AccountLinkOutcome.NotLinked, await UnlinkAsync("two", Guid.NewGuid()));
        Assert.Equal([Account("two")], (await stores.Accounts.ListAsync(user.Id)).Select(AsBefore));
    }

    [Fact]
    public async Task Unlink_OfAllAtOnce_LeavesOne()
    {
        for (var round = 0; round < 10; round++)
        {
            var user = await InsertAsync();
            var providers = Enumerable.Range(0, 4).Select(number => $"{round}.{number}").ToArray();
            foreach (var provider in providers) await stores.Accounts.LinkAsync(Account(provider), user.Id, s_now);

            var outcomes = await Task.WhenAll(providers.Select(provider => Task.Run(() => UnlinkAsync(provider, user.Id))));

            Assert.Single(outcomes, outcome => outcome == AccountLinkOutcome.LastWayIn);
            Assert.Single(await stores.Accounts.ListAsync(user.Id));
        }
    }

    [Fact]
    public async Task LinkAndUnlink_Racing_NeverLeaveTheUserWithoutAnAccount()
    {
        var (user, other) = (await InsertAsync(), await InsertAsync());
        await stores.Accounts.LinkAsync(Account("kept"), user.Id, s_now);
        await stores.Accounts.LinkAsync(Account("others"), other.Id, s_now);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(turn => Task.Run(async () =>
        {
            if (turn % 2 == 0) await stores.Accounts.LinkAsync(Account("one"), turn % 4 == 0 ? user.Id : other.Id, s_now);
            else await UnlinkAsync(turn % 4 == 1 ? "one" : "kept", user.Id);
        })));

        Assert.NotEmpty(await stores.Accounts.ListAsync(user.Id));
        Assert.NotEmpty(await stores.Accounts.ListAsync(other.Id));
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task ReplacedAddress_LosesItsMailboxInTheSameTransaction(bool confirmed, bool hasOtherAccount)
    {
        var user = await InsertAsync(verified: true);
        await stores.Accounts.LinkAsync(MailboxOf(user.Email), user.Id, s_now);
        if (hasOtherAccount) await stores.Accounts.LinkAsync(Account("other"), user.Id, s_now);
        var (current, stolen) = (await AddSessionAsync(user, user.Email), await AddSessionAsync(user, user.Email));
        var changed = user with { Email = $"new.{user.Email}" };

        Assert.Equal(UserWrite.Saved, await stores.Users.UpdateProfileAsync(changed, new(user.Email, confirmed ? current : null)));

        Assert.Null(await stores.Accounts.FindAsync("email", user.Email));
        var keepsMailbox = confirmed || !hasOtherAccount;
        Assert.Equal(keepsMailbox ? new AccountOwner(user.Id, changed.Email) : null, await stores.Accounts.FindAsync("email", changed.Email));
        var live = (await stores.Sessions.ListAsync(user.Id)).Where(session => !session.IsOrphaned).Select(session => session.Id);
        Assert.Equal(confirmed ? [current] : [], live);
        Assert.Equal(UserWrite.Stale, await stores.Users.UpdateProfileAsync(changed, new(user.Email, null)));
    }

    [Fact]
    public async Task ConfirmedAddress_AddsItsMailbox_UnlessItIsAnotherUsers()
    {
        var (user, other) = (await InsertAsync(verified: true), await InsertAsync(verified: true));
        await stores.Accounts.LinkAsync(Account("other"), user.Id, s_now);
        var taken = $"taken.{user.Email}";
        await stores.Accounts.LinkAsync(MailboxOf(taken), other.Id, s_now);

        Assert.Equal(UserWrite.EmailTaken, await stores.Users.UpdateProfileAsync(user with { Email = taken }, new(user.Email, Guid.NewGuid())));
        Assert.Equal((user.Email, other.Id), ((await stores.Users.FindAsync(user.Id))!.Email, (await stores.Accounts.FindAsync("email", taken))!.UserId));

        Assert.Equal(UserWrite.Saved, await stores.Users.UpdateProfileAsync(user with { Email = $"new.{user.Email}" }, new(user.Email, Guid.NewGuid())));
        Assert.Equal(user.Id, (await stores.Accounts.FindAsync("email", $"new.{user.Email}"))?.UserId);
    }

    [Theory]
    [InlineData("email")]
    [InlineData("one")]
    public async Task UnlinkedAccount_JoinsAgainOnlyAtTheUsersRequest(string provider)
    {
        var user = await InsertAsync(verified: true);
        var account = provider == "email" ? MailboxOf(user.Email) : Account(provider);
        await stores.Accounts.LinkAsync(Account("kept"), user.Id, s_now);
        Assert.Equal(user.Id, await stores.Accounts.LinkByEmailAsync(account, user.Email, s_now));
        Assert.Equal(AccountLinkOutcome.Unlinked, await stores.Accounts.UnlinkAsync(provider, account.ProviderAccountId, user.Id));

        Assert.Null(await stores.Accounts.LinkByEmailAsync(account, user.Email, s_now));

        // The present holder of the unlinked mailbox may also have other accounts with its address.
        Assert.Equal(provider == "email" ? null : user.Id, await stores.Accounts.LinkByEmailAsync(Account("another"), user.Email, s_now));

        Assert.Equal(user.Id, await stores.Accounts.LinkAsync(account, user.Id, s_now));
        Assert.Equal(0L, await stores.ExecuteAsync($"SELECT count(*) FROM declined_accounts WHERE user_id = '{user.Id}'"));
    }

    [Fact]
    public async Task ErasedUser_TakesUnlinkedAccountsAlong()
    {
        var user = await InsertAsync(verified: true);
        await stores.Accounts.LinkAsync(Account("kept"), user.Id, s_now);
        await stores.Accounts.LinkAsync(Account("one"), user.Id, s_now);
        await UnlinkAsync("one", user.Id);
        Assert.Equal(("one", _id), Assert.Single(await stores.Accounts.ListDeclinedAsync(user.Id)) is var declined ? (declined.Provider, declined.ProviderAccountId) : default);

        await stores.Users.EraseAsync(user.Id, [], [], s_now);

        Assert.Equal(0L, await stores.ExecuteAsync($"SELECT count(*) FROM declined_accounts WHERE user_id = '{user.Id}'"));
    }

    [Fact]
    public async Task RenamedMailbox_KeepsItsSessions()
    {
        var user = await InsertAsync(verified: true);
        await stores.Accounts.LinkAsync(MailboxOf(user.Email), user.Id, s_now);
        await AddSessionAsync(user, user.Email);

        Assert.True(await stores.Accounts.RenameMailboxAsync(user.Email, $"new.{user.Email}"));

        Assert.False(Assert.Single(await stores.Sessions.ListAsync(user.Id)).IsOrphaned);
    }

    private static ExternalAccount MailboxOf(string email) => new() { Provider = "email", ProviderAccountId = email, Type = "email", Email = email };

    private async Task<Guid> AddSessionAsync(UserRow user, string mailbox)
    {
        var session = new SessionRow(
            Guid.CreateVersion7(), user.Id, RandomNumberGenerator.GetBytes(32), s_now, s_now, s_now.AddDays(7), Device: null, Address: null,
            new AccountKey("email", mailbox).ToString());
        Assert.True(await stores.Sessions.InsertAsync(session, []));
        return session.Id;
    }

    private async Task<UserRow> InsertAsync(bool verified = false)
    {
        var user = TestUsers.New() with { EmailVerified = verified };
        await stores.Users.InsertAsync(user, account: null);
        return user;
    }

    private Task<AccountLinkOutcome> UnlinkAsync(string provider, Guid userId) => stores.Accounts.UnlinkAsync(provider, _id, userId);

    // Removes the values that the database adds.
    private static ExternalAccount AsBefore(ExternalAccount account)
    {
        Assert.NotNull(account.LinkId);
        Assert.NotNull(account.LinkedAt);
        return account with { LinkId = null, LinkedAt = null };
    }

    private ExternalAccount Account(string provider) => new() { Provider = provider, ProviderAccountId = _id, Type = "oidc" };
}
