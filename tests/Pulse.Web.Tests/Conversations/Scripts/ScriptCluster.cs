using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Orleans.TestingHost;
using Pulse.Conversations;
using Pulse.Grains;
using Pulse.Grains.Conversations;
using Pulse.Grains.Storage;
using Pulse.Grains.Tests;
using Pulse.Silo;

namespace Pulse.Web.Tests.Conversations.Scripts;

/// <summary>Two silos on a real database, two front ends, a clock that the test sets, and faults between them.</summary>
public sealed class ScriptCluster : IAsyncLifetime
{
    // The death and the start of a silo take seconds, so a short run has none.
    private const int ScriptsPerCrash = 20;

    private static readonly TimeSpan s_longestStart = TimeSpan.FromMinutes(1);

    // What was once committed, and whether a marker ever moved back. A deletion empties the bodies in the log itself.
    private const string Records =
        """
        CREATE TABLE written (LIKE entries);
        CREATE FUNCTION note_written() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO written SELECT NEW.*; RETURN NULL; END $$;
        CREATE TRIGGER note_written AFTER INSERT ON entries FOR EACH ROW EXECUTE FUNCTION note_written();
        CREATE TABLE moved_back (conversation_id uuid, user_id uuid, former bigint, present bigint);
        CREATE FUNCTION note_moved_back() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO moved_back VALUES (NEW.conversation_id, NEW.user_id, OLD.read_seq, NEW.read_seq); RETURN NULL; END $$;
        CREATE TRIGGER note_moved_back AFTER UPDATE ON members FOR EACH ROW WHEN (NEW.read_seq < OLD.read_seq)
            EXECUTE FUNCTION note_moved_back();
        """;

    private PostgresTestDatabase? _database;
    private NpgsqlDataSource? _postgres;
    private ServiceProvider? _stores;
    private Task _crash = Task.CompletedTask;
    private int _scripts;
    private int _crashes;

    public InProcessTestCluster Cluster { get; private set; } = null!;

    internal RunningClock Clock { get; } = new();

    internal ChatFaults Faults { get; private set; } = null!;

    /// <summary>The database past the faults.</summary>
    internal IConversationStore Store { get; private set; } = null!;

    internal ScriptFrontEnd[] FrontEnds { get; } = new ScriptFrontEnd[2];

    /// <summary>Whether a script has failed, so that the present one is a shorter form of it.</summary>
    internal bool HasFailed { get; set; }

    internal IConversationReaderGrain Reader => Cluster.Client.GetGrain<IConversationReaderGrain>(0);

    public async Task InitializeAsync()
    {
        Faults = new(Clock);
        _database = await PostgresTestDatabase.CreateAsync();
        var database = PostgresTestDatabase.WithTimeForABusyMachine(_database.ConnectionString);
        _postgres = NpgsqlDataSource.Create(database);
        _stores = new ServiceCollection().AddLogging().AddPulseStores(new() { PostgresConnectionString = database }).BuildServiceProvider();
        Store = _stores.GetRequiredService<IConversationStore>();
        await _stores.GetRequiredService<IStoreDatabase>().ApplySchemaAsync();
        await using (var records = _postgres.CreateCommand(Records)) await records.ExecuteNonQueryAsync();

        var builder = new InProcessTestClusterBuilder(2);
        builder.ConfigureSiloHost((options, host) => AddSilo(options.SiloName, host, database));
        builder.ConfigureSilo((options, silo) =>
        {
            var filter = new FaultyCallFilter(Faults, options.SiloName);
            silo.AddPulseGrainStorage().ConfigureGrains().AddOutgoingGrainCallFilter(filter).AddIncomingGrainCallFilter(filter);
        });
        Cluster = builder.Build();
        await Cluster.DeployAsync();
        for (var i = 0; i < FrontEnds.Length; i++) FrontEnds[i] = await ScriptFrontEnd.StartAsync(Cluster.Client, Clock);
    }

    public async Task DisposeAsync()
    {
        foreach (var frontEnd in FrontEnds) await frontEnd.DisposeAsync();
        await Cluster.DisposeAsync();
        await Clock.StopAsync();
        await _stores!.DisposeAsync();
        await _postgres!.DisposeAsync();
        await _database!.DisposeAsync();
    }

    internal async Task BeginAsync(ChatScript script)
    {
        // A script that failed may have left some.
        await Faults.EndAsync();
        await UntilWholeAsync();
        _scripts++;
        Faults.Begin(script.Seed);
    }

    /// <summary>A front end's process is replaced. Silos still call the former one, until its subscriptions end.</summary>
    /// <returns>The former one.</returns>
    internal async Task<ScriptFrontEnd> ReplaceFrontEndAsync(int number)
    {
        var former = FrontEnds[number];
        FrontEnds[number] = await ScriptFrontEnd.StartAsync(Cluster.Client, Clock);
        return former;
    }

    /// <summary>Kills a silo and starts another one meanwhile, but only once for several scripts.</summary>
    internal void CrashSilo(int number)
    {
        if (!_crash.IsCompleted || _crashes >= _scripts / ScriptsPerCrash) return;
        _crashes++;
        _crash = Task.Run(async () =>
        {
            await Cluster.KillSiloAsync(Cluster.Silos[number % Cluster.Silos.Count]);
            await Cluster.StartAdditionalSiloAsync();
        });
    }

    /// <summary>Waits until there are two silos again.</summary>
    internal Task UntilWholeAsync() => _crash.WaitAsync(s_longestStart);

    /// <summary>The entries of a conversation as they were committed.</summary>
    internal async Task<WrittenEntry[]> ReadWrittenAsync(Guid id)
    {
        await using var command = _postgres!.CreateCommand(
            "SELECT seq, kind, sender_id, client_id, target_seq, body, sent_at FROM written WHERE conversation_id = $1 ORDER BY seq");
        command.Parameters.Add(new() { Value = id });
        await using var reader = await command.ExecuteReaderAsync();
        var entries = new List<WrittenEntry>();
        while (await reader.ReadAsync())
        {
            Guid? clientId = reader.IsDBNull(3) ? null : reader.GetGuid(3);
            long? target = reader.IsDBNull(4) ? null : reader.GetInt64(4);
            var identity = new EntryIdentity(
                reader.GetInt64(0), reader.GetString(1), reader.GetGuid(2), clientId, target, reader.GetFieldValue<DateTimeOffset>(6));
            entries.Add(new(identity, reader.IsDBNull(5) ? null : reader.GetString(5)));
        }

        return [.. entries];
    }

    /// <summary>How often a marker of a conversation moved back in the database.</summary>
    internal async Task<long> CountMovedBackAsync(Guid id)
    {
        await using var command = _postgres!.CreateCommand("SELECT count(*) FROM moved_back WHERE conversation_id = $1");
        command.Parameters.Add(new() { Value = id });
        return (long)(await command.ExecuteScalarAsync())!;
    }

    private void AddSilo(string name, IHostApplicationBuilder host, string database)
    {
        host.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:Postgres"] = database,
            ["Pulse:Chat:SendsPerSecond"] = "100000",
            ["Pulse:Chat:SendsAtOnce"] = "100000",
            // Few, so that the database is read too.
            ["Pulse:Chat:RecentEntries"] = "16",
        });
        host.Services.AddSingleton<TimeProvider>(Clock);
        host.AddPulseGrains(new(database, Redis: null, []));
        var former = host.Services.Last(service => service.ServiceType == typeof(IConversationStore));
        host.Services.Remove(former);
        host.Services.AddSingleton(services => FaultyConversationStore.Around(
            (IConversationStore)ActivatorUtilities.CreateInstance(services, former.ImplementationType!), Faults, name));
    }
}
