using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Conversations;
using Pulse.Web.Presence;
using Pulse.Web.Tests.Conversations;

namespace Pulse.Web.Tests.Presence;

/// <summary>The policy that docs/dotnet/policies.md shows, in the real program.</summary>
public sealed class ContactsOnlyTests(ContactsOnlyTests.Application pulse) : IClassFixture<ContactsOnlyTests.Application>
{
    [Fact]
    public async Task Strangers_NeitherSeeNorMessageEachOther_UntilTheyAreContacts()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        using var bob = await ChatUser.SyncAsync(pulse, "Bob");
        await using var bobs = await ChatClient.ConnectAsync(pulse.Address, bob.Token);
        await using var adas = await HubClient.ConnectAsync(pulse.Address, ada.Token);
        var conversation = new { kind = "direct", members = new[] { bob.Id }, clientId = Guid.NewGuid() };

        Assert.Equal("offline", Assert.Single(await adas.WatchAsync(bob.Id)).GetProperty("status").GetString());
        await ada.RefusedAsync(HttpMethod.Post, "/conversations", conversation, HttpStatusCode.Forbidden, "cannot-message");

        pulse.Services.GetRequiredService<Contacts>().Add(ada.Id, bob.Id);
        await ada.DoAsync(HttpMethod.Post, "/conversations", conversation, HttpStatusCode.Created);
        await adas.StatusAsync(bob.Id, "online");

        pulse.Services.GetRequiredService<Contacts>().Remove(ada.Id, bob.Id);
        await adas.StatusAsync(bob.Id, "offline");
    }

    public sealed class Application() : PulseApplication([
        new("Pulse:Presence:TimeToLive", "00:00:12"),
        new("Pulse:Presence:HeartbeatInterval", "00:00:05"),
        new("Pulse:Presence:OfflineGrace", "00:00:01")])
    {
        private protected override void Adjust(IServiceCollection services)
        {
            services.AddSingleton<Contacts>();
            services.AddSingleton<IPresencePolicy, ContactsOnly>();
            services.AddSingleton<IConversationPolicy, ContactsOnly>();
        }
    }
}
