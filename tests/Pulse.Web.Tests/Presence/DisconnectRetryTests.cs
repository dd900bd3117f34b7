using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Users;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Presence;

/// <summary>Connections whose end fails to reach the grain.</summary>
public sealed class DisconnectRetryTests(DisconnectRetryTests.Application pulse) : IClassFixture<DisconnectRetryTests.Application>
{
    [Fact]
    public async Task PendingDisconnects_DoNotDelayLeaseRenewal()
    {
        var ada = Guid.CreateVersion7();
        await using var adas = await HubClient.ConnectAsync(pulse.Address, Token(ada));
        Guid[] gone = [Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7()];
        var clients = await Task.WhenAll(gone.Select(user => HubClient.ConnectAsync(pulse.Address, Token(user))));
        foreach (var user in gone) pulse.Calls.Stuck[user] = 0;

        // The clients disconnect one after the other. A silent grain must not delay the later disconnects.
        foreach (var client in clients) await client.Connection.StopAsync();

        await Eventually.AsyncTrue("all ends are being told again", () => Task.FromResult(pulse.Calls.Stuck.Values.All(told => told == 2)));
        pulse.Calls.Renewed.Clear();
        await Eventually.AsyncTrue("renewals go on", () => Task.FromResult(pulse.Calls.Renewed.Count(user => user == ada) >= 3));

        // Each is still pending, and each is sent once at a time.
        Assert.All(pulse.Calls.Stuck.Values, told => Assert.Equal(2, told));
        pulse.Calls.Answer.SetResult();
        await Eventually.AsyncTrue("all ends are told", () => Task.FromResult(pulse.Calls.Stuck.Values.All(told => told == 3)));
    }

    private static string Token(Guid userId) => TestTokens.Hs256(TestTokens.Claims(userId));

    /// <summary>Some users' grains refuse an end at first, then stay silent until released, refuse again, and then accept it.</summary>
    internal sealed class Calls : IOutgoingGrainCallFilter
    {
        /// <summary>How often the end of each of these users was sent.</summary>
        public ConcurrentDictionary<Guid, int> Stuck { get; } = new();

        public ConcurrentQueue<Guid> Renewed { get; } = new();

        public TaskCompletionSource Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public async Task Invoke(IOutgoingGrainCallContext context)
        {
            if (context.InterfaceMethod?.DeclaringType == typeof(IUserGrain))
            {
                var user = context.TargetId.GetGuidKey();
                if (context.MethodName == nameof(IUserGrain.RenewAsync)) Renewed.Enqueue(user);
                if (context.MethodName == nameof(IUserGrain.DisconnectAsync) && Stuck.ContainsKey(user))
                {
                    var times = Stuck.AddOrUpdate(user, 1, (_, told) => told + 1);
                    if (times == 2) await Answer.Task;
                    if (times <= 2) throw new TimeoutException("Not answered.");
                }
            }

            await context.Invoke();
        }
    }

    public sealed class Application() : PulseApplication([
        KeyValuePair.Create("Pulse:Presence:TimeToLive", "00:00:06"), KeyValuePair.Create("Pulse:Presence:HeartbeatInterval", "00:00:03")])
    {
        internal Calls Calls { get; } = new();

        private protected override void Adjust(IServiceCollection services) => services.AddSingleton<IOutgoingGrainCallFilter>(Calls);
    }
}
