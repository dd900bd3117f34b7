using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Pulse.Grains.Tests.Storage;
using Pulse.Grains.Users;
using Xunit;

namespace Pulse.Grains.Tests.Users;

/// <summary>The upgrade of rows that versions before 004_addresses.sql wrote, on any database.</summary>
/// <param name="stores">Made for each test, empty, because the upgrade runs once for a database.</param>
public abstract class AddressUpgradeContract(StoresFixture stores) : IAsyncLifetime
{
    public Task InitializeAsync() => stores.InitializeAsync();

    public Task DisposeAsync() => stores.DisposeAsync();

    [Fact]
    public async Task Upgrade_MovesUnprovenAddresses_AndSpellsAllOnce()
    {
        var (proven, stated, spelled, mailbox) = (NewId(), NewId(), NewId(), NewId());
        await InsertAsync(proven, "proven@example.com", isVerified: true);
        await InsertAsync(stated, "stated@example.com", isVerified: false);
        await InsertAsync(spelled, "ada@xn--bcher-kva.example", isVerified: true);
        await InsertAsync(mailbox, "eve@xn--bcher-kva.example", isVerified: true);
        await stores.ExecuteAsync($"INSERT INTO accounts (user_id, type, provider, provider_account_id) VALUES ('{mailbox}', 'email', 'email', 'eve@xn--bcher-kva.example')");

        Assert.True(await UpgradeAsync());

        Assert.Equal(("proven@example.com", true, 0L), await ReadAsync(proven));
        Assert.Equal(("stated@example.com", false, 1L), await ReadAsync(stated));
        Assert.Equal(("ada@bücher.example", true, 1L), await ReadAsync(spelled));
        Assert.Equal(1L, await stores.ExecuteAsync($"SELECT count(*) FROM users WHERE email IS NULL AND unproven_email = 'stated@example.com' AND id = '{stated}'"));
        Assert.Equal(mailbox, (await stores.Accounts.FindAsync("email", "eve@bücher.example"))?.UserId);
    }

    [Fact]
    public async Task Upgrade_TwoSpellingsOfOneMailbox_ProofStaysWithTheUserOfTheNormalOne()
    {
        var (other, normal) = (NewId(), NewId());
        await InsertAsync(other, "ada@xn--bcher-kva.example", isVerified: true);
        await InsertAsync(normal, "ada@bücher.example", isVerified: true);
        var log = new UpgradeLog();

        Assert.True(await UpgradeAsync(log));

        Assert.Equal(("ada@bücher.example", false), await ReadAsync(other) is var lost ? (lost.Email, lost.IsVerified) : default);
        Assert.Equal(("ada@bücher.example", true, 0L), await ReadAsync(normal));
        var line = Assert.Single(log.Lines, line => line.Contains("in another spelling", StringComparison.Ordinal));
        Assert.Contains(other.ToString(), line, StringComparison.Ordinal);
        Assert.DoesNotContain("@", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Upgrade_BySeveralSilosAtOnce_OfManyPages_MovesEachRowOnce()
    {
        Guid[] ids = [.. Enumerable.Range(0, 1_100).Select(_ => NewId())];
        await stores.ExecuteAsync("INSERT INTO users (id, email, name) VALUES " + string.Join(',', ids.Select(id => $"('{id}', '{id:N}@example.com', 'Batch')")));

        Assert.All(await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => UpgradeAsync()))), Assert.True);

        Assert.Equal(1_100L, await stores.ExecuteAsync("SELECT count(*) FROM users WHERE email IS NULL AND unproven_email IS NOT NULL AND version = 1"));
        Assert.Equal(1L, await stores.ExecuteAsync("SELECT count(*) FROM data_upgrades"));
    }

    [Fact]
    public async Task Upgrade_RowThatTheDatabaseRefuses_IsLeft_AndTheOthersAreMoved()
    {
        Guid[] ids = [NewId(), NewId(), NewId()];
        foreach (var id in ids) await InsertAsync(id, $"{id:N}@example.com", isVerified: false);
        foreach (var sql in RefusingUpdatesOf(ids[1])) await stores.ExecuteAsync(sql);
        var log = new UpgradeLog();

        Assert.True(await UpgradeAsync(log));

        var versions = await Task.WhenAll(ids.Select(async id => (await ReadAsync(id)).Version));
        Assert.Equal([1L, 0L, 1L], versions);
        Assert.Contains(ids[1].ToString(), Assert.Single(log.Lines, line => line.Contains("refuses", StringComparison.Ordinal)), StringComparison.Ordinal);
        Assert.Equal(0L, await stores.ExecuteAsync("SELECT count(*) FROM data_upgrades"));
    }

    /// <summary>Statements that make a trigger, as one of another program.</summary>
    private protected abstract string[] RefusingUpdatesOf(Guid id);

    private Task<bool> UpgradeAsync(ILogger<AddressUpgrade>? log = null) => new AddressUpgrade(
        stores.Users, stores.Accounts, new UnprovenRows(new ServiceCollection().BuildServiceProvider()), TimeProvider.System, log ?? NullLogger<AddressUpgrade>.Instance)
        .TryAsync(CancellationToken.None);

    private static Guid NewId() => Guid.CreateVersion7();

    private async Task InsertAsync(Guid id, string email, bool isVerified) => await stores.ExecuteAsync(
        $"INSERT INTO users (id, email, name, email_verified) VALUES ('{id}', '{email}', 'Ada', {(isVerified ? "true" : "false")})");

    private async Task<(string Email, bool IsVerified, long Version)> ReadAsync(Guid id) =>
        await stores.Users.FindAsync(id) is { } row ? (row.Email, row.EmailVerified, row.Version) : default;

    private sealed class UpgradeLog : ILogger<AddressUpgrade>
    {
        public List<string> Lines { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Lines.Add(formatter(state, exception));
    }
}

/// <summary>On PostgreSQL.</summary>
public sealed class PostgresAddressUpgradeTests() : AddressUpgradeContract(new PostgresStores())
{
    private protected override string[] RefusingUpdatesOf(Guid id) =>
    [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not this row'; END $$",
        $"CREATE TRIGGER refusing BEFORE UPDATE ON users FOR EACH ROW WHEN (old.id = '{id}') EXECUTE FUNCTION refuse()",
    ];
}

/// <summary>On SQLite.</summary>
public sealed class SqliteAddressUpgradeTests() : AddressUpgradeContract(new SqliteStores())
{
    private protected override string[] RefusingUpdatesOf(Guid id) =>
        [$"CREATE TRIGGER refusing BEFORE UPDATE ON users WHEN old.id = '{id}' BEGIN SELECT RAISE(ABORT, 'not this row'); END"];
}
