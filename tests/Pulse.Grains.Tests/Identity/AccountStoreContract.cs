using Pulse.Accounts;
using Pulse.Grains.Tests.Storage;
using Pulse.Grains.Tests.Users;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

/// <summary>The behaviour of every <see cref="Pulse.Grains.Accounts.IAccountStore"/>.</summary>
public abstract class AccountStoreContract(StoresFixture stores)
{
    [Fact]
    public async Task FindUser_Unknown_IsNull() => Assert.Null(await stores.Accounts.FindAsync("test", "nobody"));

    [Fact]
    public async Task FindUser_Linked_IsThatUser()
    {
        var user = TestUsers.New();
        var account = new ExternalAccount { Provider = "https://issuer.example", ProviderAccountId = "Δ|1' OR 1=1", Type = "token" };
        await stores.Users.InsertAsync(user, account);

        Assert.Equal(user.Id, (await stores.Accounts.FindAsync(account.Provider, account.ProviderAccountId))?.UserId);
        Assert.Null(await stores.Accounts.FindAsync("https://other.example", account.ProviderAccountId));

        // An id at a provider is compared exactly, letter by letter.
        Assert.Null(await stores.Accounts.FindAsync(account.Provider, account.ProviderAccountId.ToLowerInvariant()));
    }

    [Fact]
    public async Task FindUser_SameIdAtTwoProviders_IsTwoUsers()
    {
        var (first, second, id) = (TestUsers.New(), TestUsers.New(), Guid.NewGuid().ToString());
        await stores.Users.InsertAsync(first, new() { Provider = "one", ProviderAccountId = id, Type = "oidc" });
        await stores.Users.InsertAsync(second, new() { Provider = "two", ProviderAccountId = id, Type = "oidc" });

        Assert.Equal(first.Id, (await stores.Accounts.FindAsync("one", id))?.UserId);
        Assert.Equal(second.Id, (await stores.Accounts.FindAsync("two", id))?.UserId);
    }

    [Fact]
    public async Task DeletedUser_TakesItsAccountsAlong()
    {
        var (user, id) = (TestUsers.New(), Guid.NewGuid().ToString());
        await stores.Users.InsertAsync(user, new() { Provider = "test", ProviderAccountId = id, Type = "oidc" });

        await stores.ExecuteAsync($"DELETE FROM users WHERE id = '{user.Id}'");

        Assert.Null(await stores.Accounts.FindAsync("test", id));
    }
}
