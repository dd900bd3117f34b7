using System.Diagnostics;
using System.Net;
using Npgsql;
using Xunit.Abstractions;

namespace Pulse.Cluster.Tests;

/// <summary>Faults while users send messages. Each acknowledged message is stored once, and all readers hold the same log.</summary>
public sealed class ConversationFaultTests(ClusterFixture fixture, ITestOutputHelper output) : ClusterTests(fixture, output)
{
    // 5 s, and 4 s for a busy machine. Orleans itself gives a call up after 10 s.
    private static readonly TimeSpan s_answered = TimeSpan.FromSeconds(9);

    [Fact]
    public async Task SilosAndFrontEndKilled_WhileUsersSend_EachAcknowledgedMessageIsStoredOnce_AndReadersHoldTheLog()
    {
        await using var talk = new Talk(Cluster);
        await talk.StartAsync();
        string[] killed = ["silo-2", "front-end-1", "silo-1"];
        for (var i = 0; i < killed.Length || talk.Acknowledged < Scale.Messages; i++)
        {
            var (name, before) = (killed[i % killed.Length], talk.Acknowledged);
            await Wait.UntilAsync("messages to be acknowledged", () => Task.FromResult(talk.Acknowledged > before + 40 ? "" : $"{talk.Acknowledged - before}"), TimeSpan.FromMinutes(1));
            await Cluster.KillAsync(name);
            await Wait.UntilAsync($"messages to be acknowledged without {name}", () => Task.FromResult(talk.Acknowledged > before + 120 ? "" : $"{talk.Acknowledged - before}"), TimeSpan.FromMinutes(2));
            await Cluster.StartAsync(name);
            await WaitUntilReadyAsync();
        }

        await talk.StopAsync();
        var converged = await Wait.UntilAsync("answers, logs and database to agree", talk.FindFaultsAsync, TimeSpan.FromMinutes(1));
        Output.WriteLine($"{talk.Acknowledged} messages, {talk.Repeats} repetitions answered; slowest answer {talk.SlowestOverRest.TotalSeconds:F1} s over REST, {talk.SlowestOverHub.TotalSeconds:F1} s over hubs; logs equal after {converged.TotalSeconds:F1} s");
        Assert.True(talk.Slowest < s_answered, $"The slowest answer took {talk.Slowest.TotalSeconds:F1} s.");
    }

    [Fact]
    public async Task LockedConversation_RefusesInTime_OthersGoOn_AndNoRefusedMessageAppearsLater()
    {
        await using var talk = new Talk(Cluster);
        await talk.StartAsync();
        var locked = await talk.CreateAsync();
        Assert.Equal(HttpStatusCode.Created, (await talk.SendOnceAsync(locked, Guid.NewGuid(), sender: 0)).Status);

        var refused = new List<Guid>();
        await using (var other = await Cluster.OpenDatabaseAsync())
        {
            await using var transaction = await other.BeginTransactionAsync();
            await using (var take = new NpgsqlCommand("SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE", other, transaction) { Parameters = { new() { Value = locked } } })
                await take.ExecuteNonQueryAsync();
            var clock = Stopwatch.StartNew();
            var (before, sender) = (talk.Acknowledged, 0);
            talk.ForgetSlowest();
            while (clock.Elapsed < Scale.Lock)
            {
                var clientId = Guid.NewGuid();
                var (status, problem, time) = await talk.SendOnceAsync(locked, clientId, sender++ % 2);
                Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
                Assert.Contains(problem, (string[])["unavailable", "unknown-outcome"]);
                Assert.True(time < s_answered, $"{problem} took {time.TotalSeconds:F1} s.");
                if (problem == "unavailable") refused.Add(clientId);
            }

            Output.WriteLine($"locked for {clock.Elapsed.TotalSeconds:F0} s: {sender} sends refused, {refused.Count} of them as not stored; other conversations: {talk.Acknowledged - before} messages, slowest {talk.Slowest.TotalSeconds:F1} s");
            Assert.True(talk.Acknowledged > before + 20, "The other conversations stood still.");
            Assert.True(talk.Slowest < s_answered, $"A send to another conversation took {talk.Slowest.TotalSeconds:F1} s.");
        }

        await Wait.UntilAsync("the conversation to take messages", async () => (await talk.SendOnceAsync(locked, Guid.NewGuid(), sender: 0)).Problem, TimeSpan.FromMinutes(1));
        await using (var database = await Cluster.OpenDatabaseAsync())
        await using (var count = new NpgsqlCommand("SELECT count(*) FROM entries WHERE client_id = ANY ($1)", database) { Parameters = { new() { Value = refused.ToArray() } } })
            Assert.Equal(0L, await count.ExecuteScalarAsync());
        await talk.StopAsync();
        await Wait.UntilAsync("answers, logs and database to agree", talk.FindFaultsAsync, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task FrontEndFrozen_SendsOverTheOtherGoOn_AndItsReadersCatchUp()
    {
        await using var talk = new Talk(Cluster);
        await talk.StartAsync();
        talk.AvoidsFirstFrontEnd = true;
        await Wait.UntilAsync("messages to be acknowledged", () => Task.FromResult(talk.Acknowledged > 20 ? "" : $"{talk.Acknowledged}"), TimeSpan.FromMinutes(1));
        var silos = LocalCluster.Processes.Where(name => name.StartsWith("silo", StringComparison.Ordinal)).ToArray();
        var (before, memory) = (talk.Acknowledged, silos.Sum(Cluster.OwnBytes));

        await Cluster.SignalAsync("front-end-1", "STOP");
        talk.ForgetSlowest();
        await Task.Delay(Scale.Lock);
        var (sent, slowest, grown) = (talk.Acknowledged - before, talk.Slowest, silos.Sum(Cluster.OwnBytes) - memory);
        await Cluster.SignalAsync("front-end-1", "CONT");

        Assert.True(sent > 20, "The senders stood still.");
        Assert.True(slowest < s_answered, $"A send took {slowest.TotalSeconds:F1} s.");
        await talk.StopAsync();
        await WaitUntilReadyAsync();
        var converged = await Wait.UntilAsync("answers, logs and database to agree", talk.FindFaultsAsync, TimeSpan.FromMinutes(1));
        Output.WriteLine($"front end frozen for {Scale.Lock.TotalSeconds:F0} s: {sent} messages, slowest answer {slowest.TotalSeconds:F1} s; silos grew by {grown >> 10} KiB; logs equal after {converged.TotalSeconds:F1} s");
    }
}
