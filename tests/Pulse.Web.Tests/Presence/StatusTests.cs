using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR.Client;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Presence;

/// <summary>The status that a user chooses, and the status that others see.</summary>
[Collection(SharedPulse.Name)]
public sealed class StatusTests(PulseApplication pulse)
{
    private readonly Guid _ada = Guid.CreateVersion7();
    private readonly Guid _bob = Guid.CreateVersion7();

    [Fact]
    public async Task SetStatus_OnTwoDevices_ShowsTheBusierOne()
    {
        await using var ada = await ConnectAsync(_ada);
        await using var phone = await ConnectAsync(_bob);
        await using var desk = await ConnectAsync(_bob);
        await ada.WatchAsync(_bob);

        await phone.Connection.InvokeAsync("SetStatus", "away");
        await desk.Connection.InvokeAsync("SetStatus", "busy");
        await ada.StatusAsync(_bob, "busy");
        await desk.Connection.StopAsync();

        await ada.StatusAsync(_bob, "away");
        Assert.Equal(["busy", "away"], ada.StatusesOf(_bob));
    }

    [Fact]
    public async Task Connect_WithAStatus_IsInvisibleFromTheFirstMoment()
    {
        await using var ada = await ConnectAsync(_ada);
        await ada.WatchAsync(_bob);

        await using var bob = await ConnectAsync(_bob, "?status=invisible");
        await bob.Connection.InvokeAsync("SetStatus", "busy", null);

        await ada.StatusAsync(_bob, "busy");
        Assert.Equal(["busy"], ada.StatusesOf(_bob));
    }

    [Fact]
    public async Task SecondTab_KeepsTheMessageOfTheFirst()
    {
        await using var ada = await ConnectAsync(_ada);
        await ada.WatchAsync(_bob);
        await using var first = await ConnectAsync(_bob);
        await first.Connection.InvokeAsync("SetStatus", "online", "At my desk");

        await using var second = await ConnectAsync(_bob);

        var seen = Assert.Single(await second.WatchAsync(_bob));
        Assert.Equal("At my desk", seen.GetProperty("message").GetString());
    }

    [Fact]
    public async Task SetStatus_Invisible_IsOfflineToOthersAndInvisibleToTheUser()
    {
        await using var ada = await ConnectAsync(_ada);
        await using var bob = await ConnectAsync(_bob);
        await ada.WatchAsync(_bob);
        await bob.WatchAsync(_bob);

        await bob.Connection.InvokeAsync("SetStatus", "invisible", "Do not tell");

        var shown = await ada.StatusAsync(_bob, "offline");
        Assert.Equal(JsonValueKind.Null, shown.GetProperty("message").ValueKind);
        await bob.StatusAsync(_bob, "invisible");
        var asked = await pulse.As(Token(_ada)).GetFromJsonAsync<JsonElement>($"/presence?ids={_bob}");
        Assert.Equal("offline", asked[0].GetProperty("status").GetString());
    }

    [Fact]
    public async Task ConnectingAndDisconnecting_WhileInvisible_IsHiddenFromNewWatches()
    {
        await using var ada = await ConnectAsync(_ada);
        await ada.Connection.InvokeAsync("WatchPresence", new[] { _bob });
        var bob = await ConnectAsync(_bob);
        await bob.Connection.InvokeAsync("SetStatus", "invisible", null);
        await ada.StatusAsync(_bob, "offline");
        var hidden = Assert.Single(await ada.WatchAsync(_bob)).ToString();

        await bob.DisposeAsync();
        await using var again = await ConnectAsync(_bob, "?status=invisible");

        Assert.Equal(hidden, Assert.Single(await ada.WatchAsync(_bob)).ToString());
        Assert.Equal(["online", "offline"], ada.StatusesOf(_bob));
    }

    private Task<HubClient> ConnectAsync(Guid userId, string query = "") => HubClient.ConnectAsync(pulse.Address, Token(userId), query);

    private static string Token(Guid userId) => TestTokens.Hs256(TestTokens.Claims(userId));
}
