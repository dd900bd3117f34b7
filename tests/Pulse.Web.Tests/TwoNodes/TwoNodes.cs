using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Grains.Tests;
using Pulse.Presence;

namespace Pulse.Web.Tests.TwoNodes;

/// <summary>Two whole Pulse nodes in this process, one cluster over one Redis and one PostgreSQL.</summary>
public sealed class TwoNodes : IAsyncLifetime
{
    private PostgresTestDatabase? _database;

    public PulseApplication A { get; private set; } = null!;

    public PulseApplication B { get; private set; } = null!;

    /// <summary>The presence messages of both nodes' grains to front ends.</summary>
    internal ChangesTold Told { get; } = new();

    public async Task InitializeAsync()
    {
        _database = await PostgresTestDatabase.CreateAsync();
        KeyValuePair<string, string>[] settings =
        [
            new("ConnectionStrings:Postgres", _database.ConnectionString),
            new("ConnectionStrings:Redis", TestServers.Redis),
            new("Pulse:Cluster:ClusterId", $"two-nodes-{Guid.NewGuid():N}"),
            new("Pulse:Cluster:AdvertisedAddress", "127.0.0.1"),
        ];
        await (A = new Node(settings, Told)).InitializeAsync();
        await (B = new Node(settings, Told)).InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        if (B is not null) await B.DisposeAsync();
        if (A is not null) await A.DisposeAsync();
        await _database!.DisposeAsync();
    }

    private sealed class Node(IEnumerable<KeyValuePair<string, string>> settings, ChangesTold told) : PulseApplication(settings)
    {
        private protected override void Adjust(IServiceCollection services) => services.AddSingleton<IOutgoingGrainCallFilter>(told);
    }
}

/// <summary>Records each message of a grain to a front end about a user's presence.</summary>
internal sealed class ChangesTold : IOutgoingGrainCallFilter
{
    private readonly ConcurrentQueue<(Guid UserId, string FrontEnd)> _told = new();

    /// <summary>The front ends that were notified about this user, once for each message.</summary>
    public string[] Of(Guid userId) => [.. _told.Where(told => told.UserId == userId).Select(told => told.FrontEnd)];

    public Task Invoke(IOutgoingGrainCallContext context)
    {
        if (context.MethodName == nameof(IFrontEndObserver.PresenceChanged) && context.Request.GetArgument(0) is PresenceSnapshot snapshot)
        {
            _told.Enqueue((snapshot.UserId, context.TargetId.ToString()));
        }

        return context.Invoke();
    }
}

/// <summary>One by one, after the others, because other load in this process would falsify their times.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TimedOnTwoNodes : ICollectionFixture<TwoNodes>
{
    public const string Name = "Timed on two nodes";
}
