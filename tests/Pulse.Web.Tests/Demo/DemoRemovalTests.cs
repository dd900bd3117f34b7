using System.Net.Http.Json;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Orleans;
using Pulse.Grains.Tests;
using Pulse.Users;
using Pulse.Web.Demo;
using Pulse.Web.Tests.Startup;

namespace Pulse.Web.Tests.Demo;

/// <summary><c>--demo</c> on the built program: its people and their conversations are deleted from the database at the end, and real users stay.</summary>
public sealed class DemoRemovalTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pulse-demo-");

    [Fact]
    public async Task DemoPeople_AreDeleted_HoweverTheDemoEnds_AndRealUsersStay()
    {
        await using (var killed = Start("--demo"))
        {
            await SignInAsync(await killed.AddressAsync());
            await EverybodyAsync();
            await Eventually.AsyncTrue("a group and a channel with messages", () => Task.FromResult(Count("conversations") == 2 && Count("message_rows") > 6));
            killed.Kill();
            await killed.ExitAsync();
        }

        Assert.Equal(51, CountUsers());
        await using (var without = Start())
        {
            var address = await without.AddressAsync();
            Assert.Equal(1, CountUsers());
            AssertNoTalk();

            // Still the same user.
            await SignInAsync(address);
            Assert.Equal(1, CountUsers());
            await without.InterruptAsync();
            await without.ExitAsync();
        }

        await using var stopped = Start("--demo");
        await stopped.AddressAsync();
        await EverybodyAsync();
        await stopped.InterruptAsync();
        Assert.True(await stopped.ExitAsync() == 0, stopped.ToString());
        Assert.Equal(1, CountUsers());
        AssertNoTalk();
    }

    [Fact]
    public async Task StartOnADatabaseOfSeveralProcesses_DeletesNobody()
    {
        await using var database = await PostgresTestDatabase.CreateAsync();
        KeyValuePair<string, string>[] settings =
        [
            new("ConnectionStrings:Postgres", database.ConnectionString),
            new("ConnectionStrings:Redis", TestServers.Redis),
            new("Pulse:Cluster:ClusterId", $"demo-{Guid.NewGuid():N}"),
            new("Pulse:Cluster:AdvertisedAddress", "127.0.0.1"),
        ];
        var (first, second) = (new Node(settings), new Node(settings));
        try
        {
            // As a demo of an earlier version created it, which still runs.
            await first.InitializeAsync();
            var person = DemoPerson.Everybody[0];
            await first.Services.GetRequiredService<IGrainFactory>().GetGrain<IUserGrain>(person.Id).SyncProfileAsync(person.Profile);

            await second.InitializeAsync();

            await using var connection = new NpgsqlConnection(database.ConnectionString);
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand("SELECT count(*) FROM users", connection);
            Assert.Equal(1L, await command.ExecuteScalarAsync());
        }
        finally
        {
            await second.DisposeAsync();
            await first.DisposeAsync();
        }
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private static async Task SignInAsync(Uri address)
    {
        using var client = new HttpClient();
        using var answer = await client.PostAsJsonAsync(new Uri(address, "/auth/dev"), new { email = "ada@example.com" });
        Assert.True(answer.IsSuccessStatusCode);
    }

    private Task EverybodyAsync() => Eventually.AsyncTrue("fifty people and Ada", () => Task.FromResult(CountUsers() == 51));

    private PulseProcess Start(params string[] arguments) => PulseProcess.Start("Pulse.Web", _directory.FullName, [], arguments);

    private void AssertNoTalk() => Assert.All(["conversations", "members", "entries", "reactions", "message_rows", "message_search"], table => Assert.Equal((table, 0), (table, Count(table))));

    private long CountUsers() => Count("users");

    private long Count(string table)
    {
        using var connection = new SqliteConnection($"Data Source={Path.Combine(_directory.FullName, "data", "pulse.db")};Mode=ReadOnly;Pooling=False");
        connection.Open();
        using var command = new SqliteCommand($"SELECT count(*) FROM {table}", connection);
        return (long)command.ExecuteScalar()!;
    }

    private sealed class Node(IEnumerable<KeyValuePair<string, string>> settings) : PulseApplication(settings);
}
