using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;
using Xunit.Abstractions;

namespace Pulse.Web.Tests.HotPaths;

/// <summary>
/// The limits of the most frequent operations: grain calls, Redis commands, statements and allocated bytes. Counts are the same on any
/// machine, while bench/run.sh measures times.
/// </summary>
/// <remarks>
/// The limits on bytes are about one and a half times the measurement in a Debug build: they stop a gross regression, but allow a careful
/// feature. The fewest bytes of three measurements count, because other work of the process only adds to them.
/// </remarks>
[Collection(Alone.Name)]
public sealed class HotPathTests(CountingPulse pulse, ITestOutputHelper output) : IClassFixture<CountingPulse>
{
    private const int Times = 100;

    // SET … EX … GET.
    private const string SetWithExpiry = "SET";

    // The command of DEL, on any Redis that has it.
    private const string Delete = "UNLINK";

    [Fact]
    public async Task Connect_GrainActive_IsOneGrainCallAndOneRedisCommand()
    {
        var tokens = NewTokens();
        var connections = await ConnectAllAsync(tokens);

        await AssertBytesAsync(90_000, async () =>
        {
            await LeaveAllAsync(connections);

            var (counted, bytes) = await MeasureAsync(async () => connections = await ConnectAllAsync(tokens));

            AssertEach("IUserGrain.ConnectAsync", counted.GrainCalls);
            AssertEach(SetWithExpiry, counted.RedisCommands);
            Assert.Empty(counted.Statements);
            return bytes;
        });
        await LeaveAllAsync(connections);
    }

    [Fact]
    public async Task Connect_FirstTime_ReadsTheRowOnce()
    {
        RawConnection[] connections = [];

        var (counted, _) = await MeasureAsync(async () => connections = await ConnectAllAsync(NewTokens()));

        AssertEach("IUserGrain.ConnectAsync", counted.GrainCalls);
        AssertEach(SetWithExpiry, counted.RedisCommands);
        Assert.InRange(counted.Statements.Length, 1, Times);
        await LeaveAllAsync(connections);
    }

    [Fact]
    public async Task Connect_WithATicket_IsOneGrainCallMore_AndReadsNoDatabase()
    {
        var tickets = await Task.WhenAll(NewTokens().Select(TicketAsync));
        RawConnection[] connections = [];

        var (counted, _) = await MeasureAsync(async () => connections = await ConnectAllAsync(tickets, "ticket"));

        AssertEach("IHubTicketsGrain.UseAsync", [.. counted.GrainCalls.Where(call => call.StartsWith("IHubTicketsGrain", StringComparison.Ordinal))]);
        AssertEach("IUserGrain.ConnectAsync", [.. counted.GrainCalls.Where(call => !call.StartsWith("IHubTicketsGrain", StringComparison.Ordinal))]);
        Assert.Empty(counted.Statements);
        await LeaveAllAsync(connections);

        async Task<string> TicketAsync(string token)
        {
            using var client = pulse.As(token);
            using var answer = await client.PostAsync("/auth/hub-ticket", null);
            return (string)(await answer.ReadAsync(HttpStatusCode.OK))["ticket"]!;
        }
    }

    [Theory]
    [InlineData("/health/ready")]
    [InlineData("/")]
    public async Task Health_AskedByManyAtOnce_PingsTheDatabaseOnceASecond(string path)
    {
        var clock = Stopwatch.StartNew();
        var (counted, _) = await MeasureAsync(() => Task.WhenAll(Enumerable.Range(0, Times).Select(async _ => (await pulse.Anonymous.GetAsync(path)).Dispose())));

        Assert.InRange(counted.Statements.Length, 0, 3 + (int)clock.Elapsed.TotalSeconds);
    }

    [Fact]
    public async Task Disconnect_IsOneGrainCallOneRedisCommandAndAtMostOneStatement()
    {
        var tokens = NewTokens();
        await LeaveAllAsync(await ConnectAllAsync(tokens));

        await AssertBytesAsync(15_000, async () =>
        {
            var connections = await ConnectAllAsync(tokens);

            var (counted, bytes) = await MeasureAsync(async () =>
            {
                await LeaveAllAsync(connections);

                // The grain does not wait for the statement.
                await Eventually.AsyncTrue("a statement", () => Task.FromResult(pulse.Statements > 0));
            });

            AssertEach("IUserGrain.DisconnectAsync", counted.GrainCalls);
            AssertEach(Delete, counted.RedisCommands);
            Assert.InRange(counted.Statements.Length, 1, Times); // Group commits.
            return bytes;
        });
    }

    [Fact]
    public async Task Heartbeat_MakesNoCalls()
    {
        using var connection = await RawConnection.ConnectAsync(pulse.Address, NewToken());
        for (var i = 0; i < Times; i++) await connection.HeartbeatAsync();

        await AssertBytesAsync(2_100, async () =>
        {
            var (counted, bytes) = await MeasureAsync(async () =>
            {
                for (var i = 0; i < Times; i++) await connection.HeartbeatAsync();
            });

            Assert.Empty(counted.GrainCalls);
            Assert.Empty(counted.RedisCommands);
            Assert.Empty(counted.Statements);
            return bytes;
        });
        await LeaveAllAsync([connection]);
    }

    [Fact]
    public async Task Me_ProfileRead_IsOneGrainCall()
    {
        var token = NewToken();
        using (var client = pulse.As(token)) (await client.PostAsJsonAsync("/auth/sync", new { })).EnsureSuccessStatusCode();
        using var connection = await RawConnection.OpenAsync(pulse.Address);
        var request = RawConnection.Request("GET", "/auth/me", $"Authorization: Bearer {token}\r\n");
        for (var i = 0; i < Times; i++) await connection.AskAsync(request, "\"emailVerified\":"u8.ToArray());

        await AssertBytesAsync(13_500, async () =>
        {
            var (counted, bytes) = await MeasureAsync(async () =>
            {
                for (var i = 0; i < Times; i++) await connection.AskAsync(request, "\"emailVerified\":"u8.ToArray());
            });

            AssertEach("IUserGrain.GetProfileAsync", counted.GrainCalls);
            Assert.Empty(counted.RedisCommands);
            Assert.Empty(counted.Statements);
            return bytes;
        });
    }

    private static string NewToken() => TestTokens.Hs256(TestTokens.Claims(Guid.NewGuid(), $"{Guid.NewGuid():N}@example.com"));

    private static string[] NewTokens() => [.. Enumerable.Range(0, Times).Select(_ => NewToken())];

    private async Task<RawConnection[]> ConnectAllAsync(string[] tokens, string parameter = "access_token")
    {
        var connections = new RawConnection[tokens.Length];
        for (var i = 0; i < tokens.Length; i++) connections[i] = await RawConnection.ConnectAsync(pulse.Address, tokens[i], parameter);
        return connections;
    }

    /// <summary>Closes them with a goodbye, and waits until every grain has answered.</summary>
    private async Task LeaveAllAsync(RawConnection[] connections)
    {
        var before = Left();
        foreach (var connection in connections) await connection.LeaveAsync();
        await Eventually.AsyncTrue("every disconnect is answered", () => Task.FromResult(Left() - before == connections.Length));
        foreach (var connection in connections) connection.Dispose();

        int Left() => pulse.Answers.Count(call => call == "IUserGrain.DisconnectAsync");
    }

    private async Task<(Counted Counted, long BytesEach)> MeasureAsync(Func<Task> operations)
    {
        await pulse.ResetAsync();
        var allocated = GC.GetTotalAllocatedBytes(precise: true);
        await operations();
        var bytes = (GC.GetTotalAllocatedBytes(precise: true) - allocated) / Times;
        return (pulse.Count(), bytes);
    }

    private static void AssertEach(string expected, string[] actual) => Assert.Equal(Enumerable.Repeat(expected, Times), actual);

    /// <summary>Measures until the bytes are within the bound, three times at most.</summary>
    private async Task AssertBytesAsync(long bound, Func<Task<long>> measureAsync)
    {
        var fewest = long.MaxValue;
        for (var i = 0; i < 3 && fewest > bound; i++)
        {
            fewest = Math.Min(fewest, await measureAsync());
            output.WriteLine($"{fewest} bytes each, of at most {bound}");
        }

        Assert.True(fewest <= bound, $"{fewest} bytes were allocated for each; {bound} are the bound.");
    }
}

/// <summary>For counts of all allocations of the process: no other test runs meanwhile.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class Alone
{
    public const string Name = "Alone";
}
