using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Pulse.Conversations;
using Pulse.Identity;
using Pulse.Presence;
using StackExchange.Redis;
using StackExchange.Redis.Profiling;

namespace Pulse.Web.Tests.HotPaths;

/// <summary>
/// Pulse on PostgreSQL and Redis that counts the grain calls, Redis commands and statements of each operation, and its allocated bytes.
/// </summary>
/// <remarks>Hours lie between renewals, so that only the measured operation runs.</remarks>
public sealed class CountingPulse : PulseApplication, IAsyncLifetime
{
    // The membership version is read once a second and, after a change, the table, whatever operation is measured.
    private static readonly string[] s_membershipReads = ["HGET", "HGETALL"];

    private readonly ConcurrentQueue<string> _grainCalls = new();
    private readonly ConcurrentQueue<string> _answers = new();
    private readonly ConcurrentQueue<string> _statements = new();
    private readonly ActivityListener _listener;
    private readonly string _database;
    private ProfilingSession _redis = new();

    public CountingPulse() : this($"pulse_counts_{Guid.NewGuid():N}")
    {
    }

    private CountingPulse(string database) : base(new Dictionary<string, string>
    {
        ["ConnectionStrings:Postgres"] = new NpgsqlConnectionStringBuilder(Variable("PULSE_TEST_POSTGRES")) { Database = database }.ConnectionString,
        ["ConnectionStrings:Redis"] = Variable("PULSE_TEST_REDIS"),
        ["Pulse:Cluster:ClusterId"] = database,
        ["Pulse:Presence:TimeToLive"] = "10:00:00",
        ["Pulse:Presence:HeartbeatInterval"] = "10:00:00",
        ["Pulse:Presence:AwayAfter"] = "20:00:00",
        ["Pulse:Chat:SendsPerSecond"] = "10000",
        ["Pulse:Chat:SendsAtOnce"] = "10000",
    })
    {
        _database = database;
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = statement =>
            {
                if (statement.TagObjects.Any(tag => database.Equals(tag.Value))) _statements.Enqueue(statement.DisplayName);
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    /// <summary>Grain calls that have begun since the last <see cref="ResetAsync"/>, as <c>Interface.Method</c>.</summary>
    public IReadOnlyCollection<string> GrainCalls => _grainCalls;

    /// <summary>Grain calls that have been answered since the last <see cref="ResetAsync"/>, as <c>Interface.Method</c>.</summary>
    public IReadOnlyCollection<string> Answers => _answers;

    /// <summary>How many statements have ended since the last <see cref="ResetAsync"/>.</summary>
    public int Statements => _statements.Count;

    async Task IAsyncLifetime.InitializeAsync()
    {
        await ExecuteOnServerAsync($"CREATE DATABASE {_database}");
        await InitializeAsync();
        Services.GetRequiredService<IConnectionMultiplexer>().RegisterProfiler(() => _redis);
    }

    async Task IAsyncLifetime.DisposeAsync()
    {
        await DisposeAsync();
        _listener.Dispose();
        await ExecuteOnServerAsync($"DROP DATABASE IF EXISTS {_database} WITH (FORCE)");
    }

    /// <summary>Starts a new count once the process is idle, so that work of earlier operations stays out of it.</summary>
    public async Task ResetAsync()
    {
        for (var (before, quiet) = (-1, 0); quiet < 3; await Task.Delay(50))
        {
            var now = GrainCalls.Count + Statements;
            (before, quiet) = (now, now == before ? quiet + 1 : 0);
        }

        _grainCalls.Clear();
        _answers.Clear();
        _statements.Clear();
        _redis = new();
    }

    /// <summary>The counts since then.</summary>
    public Counted Count() => new([.. _grainCalls], [.. _redis.FinishProfiling().Select(command => command.Command).Where(command => !s_membershipReads.Contains(command))], [.. _statements]);

    private protected override void Adjust(IServiceCollection services) =>
        services.AddSingleton<IIncomingGrainCallFilter>(new Filter(_grainCalls, _answers));

    private static async Task ExecuteOnServerAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(Variable("PULSE_TEST_POSTGRES")) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private static string Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value
        ? value
        : throw new InvalidOperationException($"{name} is not set. Run the tests with ./test.sh, which starts the servers they need.");

    private sealed class Filter(ConcurrentQueue<string> calls, ConcurrentQueue<string> answers) : IIncomingGrainCallFilter
    {
        public async Task Invoke(IIncomingGrainCallContext context)
        {
            // Each front end checks for new keys every 30 s, registers with the silos every 5 s, and renews its subscriptions to open
            // conversations every 10 s, whatever operation is measured.
            var isBackground = context.Grain is IKeyRingGrain or IInboxTableGrain
                || context.InterfaceMethod.Name is nameof(IPresenceReaderGrain.ListSilosAsync) or nameof(IConversationGrain.SubscribeAsync);

            if (isBackground || context.InterfaceMethod.DeclaringType?.Namespace?.StartsWith("Pulse", StringComparison.Ordinal) != true)
            {
                await context.Invoke();
                return;
            }

            // Before the call, so that a test which has seen the call's effect finds it counted.
            var call = $"{context.InterfaceMethod.DeclaringType.Name}.{context.InterfaceMethod.Name}";
            calls.Enqueue(call);
            await context.Invoke();
            answers.Enqueue(call);
        }
    }
}

/// <summary>The calls of an operation to other parts.</summary>
/// <param name="GrainCalls"><c>Interface.Method</c> each.</param>
/// <param name="RedisCommands">On the connection for presence keys.</param>
/// <param name="Statements">On this Pulse's database.</param>
public sealed record Counted(string[] GrainCalls, string[] RedisCommands, string[] Statements);
