using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Presence;
using Pulse.Users;
using Pulse.Web.Connections;
using Pulse.Web.Presence;
using Pulse.Web.Tests.Auth;
using Xunit.Abstractions;

namespace Pulse.Web.Tests.Presence;

/// <summary>The cost of watching without changes, and the detection of lost changes. Counts are the same on any machine.</summary>
public sealed class WatchingCostTests(WatchingCostTests.ShortLived pulse, ITestOutputHelper output) : IClassFixture<WatchingCostTests.ShortLived>
{
    // PULSE_TEST_WATCHING_SOCKETS sets a number of sockets, each with 100 contacts that five of them share.
    private static readonly int? s_many = int.TryParse(Environment.GetEnvironmentVariable("PULSE_TEST_WATCHING_SOCKETS"), out var many) ? many : null;
    private static readonly int s_sockets = s_many ?? 20;
    private static readonly int s_contacts = s_many is null ? PresenceWatches.MaxPerConnection : 100;
    private static readonly int s_watched = s_sockets * s_contacts / (s_many is null ? 1 : 5);

    // In one lifetime of a key: 30 lists of silos, 6 renewals, and one comparison for each 1,000 users.
    private static readonly int s_callsPerLifetime = 30 + 6 + (s_watched / PresenceBatches.MaxUsers);

    [Fact]
    public async Task ManyAbsentUsers_CostNoActivation_FewCallsAtRest_AndFewWhenTheSocketsLeave()
    {
        var clients = new List<HubClient>();
        var watched = Enumerable.Range(0, s_watched).Select(_ => Guid.NewGuid()).ToArray();
        pulse.Calls.Clear();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < s_sockets; i++)
        {
            var client = await HubClient.ConnectAsync(pulse.Address, Token(Guid.CreateVersion7()));
            clients.Add(client);
            await client.WatchAsync([.. Enumerable.Range(i * s_contacts, s_contacts).Select(contact => watched[contact % s_watched])]);
        }

        output.WriteLine($"{pulse.Calls.Count} calls to watch {s_watched} users: {pulse.Describe()}");
        output.WriteLine($"{(GC.GetTotalMemory(forceFullCollection: true) - before) / s_watched} bytes for each watched user, of front end, silo and test together");
        Assert.InRange(pulse.Calls.Count, 1, s_callsPerLifetime + (6 * s_sockets));

        pulse.Calls.Clear();
        await Eventually.AsyncTrue("a lifetime has passed", () => Task.FromResult(pulse.Calls.Count(call => call == "IWatchTableGrain.RenewAsync") >= 6));
        output.WriteLine($"{pulse.Calls.Count} calls at rest in one lifetime: {pulse.Describe()}");
        Assert.InRange(pulse.Calls.Count, 1, s_callsPerLifetime * 2);
        var grains = pulse.Services.GetRequiredService<IGrainFactory>();
        var active = (await grains.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics()).Select(grain => grain.GrainId).ToHashSet();
        Assert.DoesNotContain(watched, userId => active.Contains(grains.GetGrain<IUserGrain>(userId).GetGrainId()));

        pulse.Calls.Clear();
        foreach (var client in clients) await client.DisposeAsync();
        await Eventually.AsyncTrue("nothing is watched", () => Task.FromResult(pulse.Services.GetRequiredService<PresenceWatches>().Count == 0));
        await Eventually.AsyncTrue("the table has been told", () => Task.FromResult(pulse.Calls.Contains("IWatchTableGrain.UpdateAsync")));
        output.WriteLine($"{pulse.Calls.Count} calls to leave: {pulse.Describe()}");
        Assert.InRange(pulse.Calls.Count, 1, (s_watched / PresenceBatches.MaxWatched) + s_callsPerLifetime);
    }

    [Fact]
    public async Task FrontEndMissingInATable_SendsItsUsersAgain()
    {
        var bob = Guid.CreateVersion7();
        await using var ada = await HubClient.ConnectAsync(pulse.Address, Token(Guid.CreateVersion7()));
        await using var bobs = await HubClient.ConnectAsync(pulse.Address, Token(bob));
        await ada.WatchAsync(bob);
        var grains = pulse.Services.GetRequiredService<IGrainFactory>();
        var silo = Assert.Single(await grains.GetGrain<IPresenceReaderGrain>(0).ListSilosAsync());
        pulse.Calls.Clear();

        await grains.GetGrain<IWatchTableGrain>(silo).ForgetAsync(pulse.Services.GetRequiredService<ConnectionRegistry>().Id);
        await Eventually.AsyncTrue("the front end has sent its users again", () => Task.FromResult(pulse.Calls.Contains("IWatchTableGrain.UpdateAsync")));

        await bobs.Connection.InvokeAsync("SetStatus", "busy", null);
        await ada.StatusAsync(bob, "busy");
    }

    [Fact]
    public async Task WrongState_WithAVersionFromAClockAhead_IsCorrectedByTheAudit()
    {
        var bob = Guid.CreateVersion7();
        await using var ada = await HubClient.ConnectAsync(pulse.Address, Token(Guid.CreateVersion7()));
        await using var bobs = await HubClient.ConnectAsync(pulse.Address, Token(bob));
        await ada.WatchAsync(bob);

        pulse.Services.GetRequiredService<PresenceWatches>().Apply(Ahead(bob, PresenceStatus.Offline));
        await ada.StatusAsync(bob, "offline");

        await ada.StatusAsync(bob, "online");
    }

    [Fact]
    public async Task ChangeFromASiloWhoseClockIsBehind_IsShown()
    {
        var bob = Guid.CreateVersion7();
        await using var ada = await HubClient.ConnectAsync(pulse.Address, Token(Guid.CreateVersion7()));
        await using var bobs = await HubClient.ConnectAsync(pulse.Address, Token(bob));
        await ada.WatchAsync(bob);
        pulse.Services.GetRequiredService<PresenceWatches>().Apply(Ahead(bob, PresenceStatus.Away));
        await ada.StatusAsync(bob, "away");

        await bobs.Connection.InvokeAsync("SetStatus", "busy", null);

        await ada.StatusAsync(bob, "busy");
    }

    [Fact]
    public async Task LaterLastSeenOfTheSameState_IsForTheNextWatcher()
    {
        var bob = Guid.CreateVersion7();
        await using var ada = await HubClient.ConnectAsync(pulse.Address, Token(Guid.CreateVersion7()));
        await using var eve = await HubClient.ConnectAsync(pulse.Address, Token(Guid.CreateVersion7()));
        var first = Assert.Single(await ada.WatchAsync(bob));
        Assert.Equal(JsonValueKind.Null, first.GetProperty("lastSeen").ValueKind);
        var version = first.GetProperty("version").GetInt64();
        var lastSeenAt = new DateTimeOffset(2026, 1, 5, 12, 0, 0, TimeSpan.Zero);

        // As of a hidden user: the database lacked the value when it was read for the first watcher.
        pulse.Services.GetRequiredService<PresenceWatches>().Apply(
            new() { UserId = bob, Status = PresenceStatus.Offline, OwnStatus = PresenceStatus.Offline, Version = version, LastSeenAt = lastSeenAt });

        Assert.Equal(lastSeenAt, Assert.Single(await eve.WatchAsync(bob)).GetProperty("lastSeen").GetDateTimeOffset());
    }

    [Fact]
    public async Task InvisibleUserWhoseLastSeenIsNotStored_CostsOneCallPerAudit()
    {
        var bob = Guid.CreateVersion7();
        await using var ada = await HubClient.ConnectAsync(pulse.Address, Token(Guid.CreateVersion7()));
        await using var bobs = await HubClient.ConnectAsync(pulse.Address, Token(bob));
        await ada.WatchAsync(Guid.NewGuid());
        await bobs.Connection.InvokeAsync("SetStatus", "invisible", null);
        await RenewalsAsync(8); // The silo forgets bob's latest change, which has the lastSeen of his grain.
        await ada.WatchAsync(bob);
        pulse.Calls.Clear();

        await pulse.Services.GetRequiredService<PresenceWatches>().AskAsync([bob]);
        await RenewalsAsync(1);

        Assert.InRange(pulse.Calls.Count(call => call == "IUserGrain.ReadPresenceAsync"), 1, 5);

        Task RenewalsAsync(int count) => Eventually.AsyncTrue(
            $"{count} renewals", () => Task.FromResult(pulse.Calls.Count(call => call == "IWatchTableGrain.RenewAsync") >= count));
    }

    private static PresenceSnapshot Ahead(Guid userId, PresenceStatus status)
    {
        var version = TimeProvider.System.GetUtcNow().AddHours(1).ToUnixTimeMilliseconds();
        return new() { UserId = userId, Status = status, OwnStatus = status, Version = version, VersionForOthers = version };
    }

    private static string Token(Guid userId) => TestTokens.Hs256(TestTokens.Claims(userId));

    /// <summary>With a short lifetime of keys. Counts the grain calls of watching.</summary>
    public sealed class ShortLived() : PulseApplication(new Dictionary<string, string>
    {
        ["Pulse:Presence:TimeToLive"] = "00:00:12",
        ["Pulse:Presence:HeartbeatInterval"] = "00:00:06",
    })
    {
        private static readonly string[] s_ofLeases = [nameof(IUserGrain.ConnectAsync), nameof(IUserGrain.RenewAsync), nameof(IUserGrain.DisconnectAsync), nameof(IUserGrain.ExpireLeasesAsync)];

        /// <summary>Written as <c>Interface.Method</c>.</summary>
        public ConcurrentQueue<string> Calls { get; } = new();

        public string Describe() => string.Join(", ", Calls.CountBy(call => call).Select(call => $"{call.Value} {call.Key}"));

        private protected override void Adjust(IServiceCollection services) => services.AddSingleton<IIncomingGrainCallFilter>(new Filter(Calls));

        private sealed class Filter(ConcurrentQueue<string> calls) : IIncomingGrainCallFilter
        {
            public Task Invoke(IIncomingGrainCallContext context)
            {
                var method = context.InterfaceMethod;
                if (method.DeclaringType is { } type && (type == typeof(IUserGrain) || type == typeof(IWatchTableGrain) || type == typeof(IPresenceReaderGrain))
                    && !(type == typeof(IUserGrain) && s_ofLeases.Contains(method.Name)))
                {
                    calls.Enqueue($"{type.Name}.{method.Name}");
                }

                return context.Invoke();
            }
        }
    }
}
