using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Pulse.Web.Connections;
using Pulse.Web.Presence;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Presence;

/// <summary>The limits on the calls of one connection, and of one user.</summary>
[Collection(SharedPulse.Name)]
public sealed class CallLimitTests(PulseApplication pulse)
{
    [Fact]
    public void Budget_RefillsAtItsRate_UpToItsLimit()
    {
        var budget = new Budget(perSecond: 5, atOnce: 10);
        var at = DateTimeOffset.UnixEpoch;
        for (var i = 0; i < 10; i++) Assert.True(budget.TrySpend(at, 1));
        Assert.False(budget.TrySpend(at, 1));

        Assert.False(budget.TrySpend(at.AddSeconds(0.1), 1));
        Assert.True(budget.TrySpend(at.AddSeconds(0.2), 1));
        Assert.False(budget.TrySpend(at.AddHours(1), 11));
        Assert.True(budget.TrySpend(at.AddHours(1), 10));

        // The clock is set back.
        Assert.False(budget.TrySpend(at, 1));
        Assert.True(budget.TrySpend(at.AddSeconds(1), 5));
    }

    [Fact]
    public async Task SetStatus_TooOften_IsRefused_AndLaterAccepted()
    {
        await using var ada = await ConnectAsync();
        // Fewer than the messages that one connection may send at once, so that the limit on statuses is the one that refuses. The limit
        // grows with time, so that a slow machine accepts more.
        var calls = Enumerable.Range(0, HubFlow.FramesAtOnce - 100)
            .Select(i => ada.Connection.InvokeAsync("SetStatus", i % 2 == 0 ? "busy" : "away", null)).ToArray();
        await Task.WhenAll(calls.Select(call => call.ContinueWith(_ => { }, TaskScheduler.Default)));

        var refused = calls.Where(call => call.IsFaulted).ToArray();
        Assert.NotEmpty(refused);
        Assert.True(calls.Length - refused.Length >= LiveConnection.StatusesAtOnce, $"Only {calls.Length - refused.Length} were accepted.");
        foreach (var call in refused) Assert.Contains("too-many-calls: ", (await Assert.ThrowsAsync<HubException>(() => call)).Message, StringComparison.Ordinal);
        await Eventually.AsyncTrue("a status is taken again", async () =>
        {
            try
            {
                await ada.Connection.InvokeAsync("SetStatus", "online", null);
                return true;
            }
            catch (HubException)
            {
                return false;
            }
        });
    }

    [Fact]
    public async Task LookupsOfOneUser_AreLimitedOverHubAndRestTogether_WithoutLimitingOthers()
    {
        var token = TestTokens.Hs256(TestTokens.Claims(Guid.CreateVersion7()));
        await using var ada = await HubClient.ConnectAsync(pulse.Address, token);
        await using var sameUser = await HubClient.ConnectAsync(pulse.Address, token);
        await using var bob = await ConnectAsync();
        using var rest = pulse.As(token);
        var ids = Enumerable.Range(0, PresenceWatches.MaxPerConnection).Select(_ => Guid.CreateVersion7()).ToArray();

        var answers = await ada.Connection.InvokeAsync<JsonElement[]>("WatchPresence", ids);
        Assert.Equal(ids, answers.Select(answer => answer.GetProperty("userId").GetGuid()));

        var error = await Assert.ThrowsAsync<HubException>(async () =>
        {
            for (var i = 0; i < 100; i++) await (i % 2 == 0 ? ada : sameUser).Connection.InvokeAsync("UnwatchPresence", ids);
        });
        Assert.Contains("too-many-lookups: ", error.Message, StringComparison.Ordinal);

        // The hub has spent the user's allowance up to the need of its next call. A request for more ids than the whole allowance exhausts
        // the rest.
        var address = new Uri($"/presence?ids={string.Join(',', ids.Take(PresenceEndpoints.MaxUsers))}", UriKind.Relative);
        var atOnce = LookupLimit.AtOnce / PresenceEndpoints.MaxUsers;
        var refused = (await Task.WhenAll(Enumerable.Range(0, 2 * atOnce).Select(_ => rest.GetAsync(address)))).First(answer => !answer.IsSuccessStatusCode);
        var problem = await refused.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal((HttpStatusCode.TooManyRequests, "urn:pulse:problem:too-many-lookups"), (refused.StatusCode, problem.GetProperty("type").GetString()));
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));

        await bob.Connection.InvokeAsync("WatchPresence", ids);
        await Eventually.AsyncTrue("the refused user may look up again", async () => (await rest.GetAsync(address)).IsSuccessStatusCode);
    }

    [Theory]
    [InlineData("""{"type":1,"target":"Heartbeat","arguments":[]}""")]
    [InlineData("""{"type":1,"target":"NoSuchMethod","arguments":[]}""")]
    [InlineData("""{"type":1,"target":"Heartbeat","arguments":[1,2,3]}""")]
    [InlineData("""{"type":1,"target":"SetStatus","arguments":[{}]}""")]
    [InlineData("""{"type":1,"invocationId":"7","target":"NoSuchMethod","arguments":[]}""")]
    [InlineData("""{"type":6}""")]
    public async Task MessagesFarBeyondTheLimit_CutTheConnection(string message)
    {
        using var socket = await SlowSocket.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims(Guid.CreateVersion7())));
        var calls = string.Join('\u001e', Enumerable.Repeat(message, 20_000));

        // The connection may be closed before all bytes are sent.
        await Task.WhenAny(socket.SendAsync(calls), socket.ClosedAsync());

        await socket.ClosedAsync();
    }

    [Fact]
    public async Task SlashAtTheEndOfThePath_LeavesTheLimitInForce()
    {
        using var socket = await SlowSocket.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims(Guid.CreateVersion7())), path: "/hubs/pulse/");

        // More calls than are accepted at once, and fewer than cut the connection off.
        var calls = Enumerable.Range(0, HubFlow.FramesAtOnce + 500).Select(id => $$"""{"type":1,"invocationId":"{{id}}","target":"Heartbeat","arguments":[]}""");
        await socket.SendAsync(string.Join('\u001e', calls));

        await socket.NextAsync("too-many-calls");
    }

    private Task<HubClient> ConnectAsync() => HubClient.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims(Guid.CreateVersion7())));
}
