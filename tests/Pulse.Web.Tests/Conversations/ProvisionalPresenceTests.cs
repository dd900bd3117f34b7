using Microsoft.Extensions.DependencyInjection;
using Pulse.Presence;
using Pulse.Users;

namespace Pulse.Web.Tests.Conversations;

/// <summary>Users whose grain does not know yet whether they are invisible, as after the death of its silo.</summary>
public sealed class ProvisionalPresenceTests(ProvisionalPresenceTests.Unsure pulse) : IClassFixture<ProvisionalPresenceTests.Unsure>
{
    [Fact]
    public async Task TypingAndReadMarker_OfAUserWhoMayBeInvisible_ReachNobody()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        using var bob = await ChatUser.SyncAsync(pulse, "Bob");
        var group = await ada.CreateAsync("group", bob);
        var seq = await ada.SendAsync(group, "hello");
        await using var adas = await ada.ConnectAsync();
        await using var bobs = await bob.ConnectAsync();
        await adas.OpenAsync(group);

        pulse.IsUnsure = true;
        await bobs.DoAsync("Typing", group);
        await bob.ReadAsync(group, seq);
        pulse.IsUnsure = false;

        // The grain sends in order. When this message arrives, an earlier one would have arrived.
        await adas.UntilAsync(group, await ada.SendAsync(group, "again"));
        Assert.Empty(adas.Received("TypingChanged", group));
        Assert.Empty(adas.Received("ReadChanged", group));
    }

    public sealed class Unsure : PulseApplication
    {
        private readonly Filter _filter = new();

        public bool IsUnsure
        {
            set => _filter.IsUnsure = value;
        }

        private protected override void Adjust(IServiceCollection services) => services.AddSingleton<IIncomingGrainCallFilter>(_filter);

        private sealed class Filter : IIncomingGrainCallFilter
        {
            public volatile bool IsUnsure;

            public async Task Invoke(IIncomingGrainCallContext context)
            {
                await context.Invoke();
                if (IsUnsure && context.Grain is IUserGrain && context.Result is PresenceSnapshot presence)
                    context.Result = presence with { IsProvisional = true, Status = PresenceStatus.Offline, OwnStatus = PresenceStatus.Offline };
            }
        }
    }
}
