using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.Tokens;
using Pulse.Web.Connections;
using Pulse.Identity;
using Pulse.Web.Auth;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;
using Pulse.Web.Tests.Sessions;
using Pulse.Web.Tokens;

namespace Pulse.Web.Tests.Presence;

/// <summary>Tickets: one hub connection each, so that tokens stay out of addresses.</summary>
[Collection(SharedPulse.Name)]
public sealed class HubTicketTests(PulseApplication pulse)
{
    private readonly Guid _ada = Guid.CreateVersion7();

    [Fact]
    public async Task Ticket_OfAToken_OpensOneConnectionAsThatUser()
    {
        var (ticket, expiresAt) = await AskAsync(TestTokens.Hs256(TestTokens.Claims(_ada)));

        await using var client = await ConnectAsync(ticket);

        Assert.Equal(_ada, (await client.NextAsync("Connected")).GetProperty("userId").GetGuid());
        Assert.InRange(expiresAt, DateTimeOffset.UtcNow.AddSeconds(50), DateTimeOffset.UtcNow.AddSeconds(60));
        using var again = await UpgradeAsync(ticket);
        await again.ReadProblemAsync(HttpStatusCode.Unauthorized, "ticket-invalid");
        Assert.Equal("Bearer", again.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task Ticket_UsedByManyAtOnce_OpensOneConnection()
    {
        var (ticket, _) = await AskAsync(TestTokens.Hs256(TestTokens.Claims(_ada)));

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
        {
            try
            {
                await using var client = await ConnectAsync(ticket);
                return true;
            }
            catch (Exception refused) when (refused.ToString().Contains("401", StringComparison.Ordinal))
            {
                return false;
            }
        }));

        Assert.Single(outcomes, opened => opened);
    }

    [Fact]
    public async Task Ticket_OfTheCookie_IsForPagesOfThisSite_AndTheSocketHasATokensLife()
    {
        using var browser = await Browser.SignInAsync(pulse);
        using var foreign = await browser.SendAsync(HttpMethod.Post, "/auth/hub-ticket", null, ("Sec-Fetch-Site", "cross-site"));
        await foreign.ReadProblemAsync(HttpStatusCode.Forbidden, "cross-site");
        using var answer = await browser.PostAsync("/auth/hub-ticket");
        var body = await answer.ReadAsync(HttpStatusCode.OK);

        await using var client = await ConnectAsync((string)body["ticket"]!);

        Assert.Equal(browser.UserId, (await client.NextAsync("Connected")).GetProperty("userId").GetGuid());
        Assert.Equal(["ticket", "expiresAt"], body.Select(member => member.Key));
        Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
        var connection = Assert.Single(pulse.Services.GetRequiredService<ConnectionRegistry>().Connections, open => open.UserId == browser.UserId);
        Assert.InRange(connection.TokenExpiresAt, DateTimeOffset.UtcNow.AddMinutes(14), DateTimeOffset.UtcNow.AddMinutes(15));

        // The ticket belongs to the session.
        using var ended = await browser.PostAsync("/auth/signout");
        Assert.Equal("signed-out", (await client.NextAsync("SessionEnded")).GetProperty("reason").GetString());
    }

    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task SessionThatEnds_ClosesItsConnection_OverEachTransport(HttpTransportType transport)
    {
        using var browser = await Browser.SignInAsync(pulse);
        using var answer = await browser.PostAsync("/auth/hub-ticket");
        var ticket = (string)(await answer.ReadAsync(HttpStatusCode.OK))["ticket"]!;
        await using var client = await HubClient.ConnectAsync(pulse.Address, "", $"?ticket={ticket}", transport);

        using var ended = await browser.PostAsync("/auth/signout");

        Assert.Equal("signed-out", (await client.NextAsync("SessionEnded")).GetProperty("reason").GetString());
        await client.Closed;
        await Assert.ThrowsAnyAsync<Exception>(() => client.Connection.InvokeAsync("Heartbeat"));
    }

    [Fact]
    public async Task Ticket_WhoseSessionHasEnded_IsRefused()
    {
        using var browser = await Browser.SignInAsync(pulse);
        using var answer = await browser.PostAsync("/auth/hub-ticket");
        var ticket = (string)(await answer.ReadAsync(HttpStatusCode.OK))["ticket"]!;
        using var ended = await browser.PostAsync("/auth/signout");

        using var refused = await UpgradeAsync(ticket);

        await refused.ReadProblemAsync(HttpStatusCode.Unauthorized, "token-invalid");
    }

    [Fact]
    public async Task Ticket_OfATrustedIssuersToken_IsForItsUser()
    {
        var token = TestTokens.Hs256(TestTokens.Claims(PulseApplication.TrustedIssuer, $"{_ada}", $"{_ada:N}@ticket.example"), TestTokens.OtherKey);
        using var client = pulse.As(token);
        using var unknown = await client.PostAsync("/auth/hub-ticket", null);
        await unknown.ReadProblemAsync(HttpStatusCode.NotFound, "not-synced");
        using var synced = await client.PostJsonAsync("/auth/sync", "{}");
        var user = (Guid?)(await synced.ReadAsync(HttpStatusCode.Created))["id"];

        await using var socket = await ConnectAsync((await AskAsync(token)).Ticket);

        Assert.Equal(user, (await socket.NextAsync("Connected")).GetProperty("userId").GetGuid());
    }

    [Theory]
    [InlineData("rubbish")]
    [InlineData("none")]
    [InlineData("a changed letter")]
    [InlineData("two of them")]
    [InlineData("another purpose")]
    [InlineData("endless")]
    public async Task InvalidTicket_IsRefused(string how)
    {
        var (ticket, _) = await AskAsync(TestTokens.Hs256(TestTokens.Claims(_ada)));
        var bad = how switch
        {
            "rubbish" => "rubbish",
            "none" => "",
            "a changed letter" => ticket[..40] + (ticket[40] == 'A' ? 'B' : 'A') + ticket[41..],
            "two of them" => $"{ticket}&ticket={ticket}",
            "another purpose" => Base64UrlEncoder.Encode(pulse.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("another").Protect([1, 2, 3])),
            _ => new string('A', 6_000),
        };

        using var refused = await UpgradeAsync(bad);

        await refused.ReadProblemAsync(HttpStatusCode.Unauthorized, "ticket-invalid");
    }

    [Fact]
    public async Task Ticket_InAnyOtherPlace_IsIgnored()
    {
        var (ticket, _) = await AskAsync(TestTokens.Hs256(TestTokens.Claims(_ada)));

        using var me = await pulse.Anonymous.GetAsync($"/auth/me?ticket={ticket}");
        using var bearer = pulse.As(ticket);
        using var asToken = await bearer.GetAsync("/auth/me");

        await me.ReadProblemAsync(HttpStatusCode.Unauthorized, "token-missing");
        await asToken.ReadProblemAsync(HttpStatusCode.Unauthorized, "token-invalid");
    }

    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.ServerSentEvents)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task Ticket_OfANegotiatedConnection_IsUsedOnceForAllItsRequests(HttpTransportType transport)
    {
        var (ticket, _) = await AskAsync(TestTokens.Hs256(TestTokens.Claims(_ada)));
        await using var connection = new HubConnectionBuilder()
            .WithUrl(new Uri(pulse.Address, $"/hubs/pulse?ticket={ticket}"), http => http.Transports = transport).Build();
        var connected = new TaskCompletionSource<JsonElement>(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.On<JsonElement>("Connected", message => connected.TrySetResult(message));
        await connection.StartAsync();

        Assert.Equal(_ada, (await connected.Task.WaitAsync(TimeSpan.FromSeconds(60))).GetProperty("userId").GetGuid());
        await connection.InvokeAsync("Heartbeat");
        foreach (var path in new[] { "negotiate?", "negotiate/?", "negotiate?id=x&", "Negotiate/?id=x&" })
        {
            using var again = await pulse.Anonymous.PostAsync($"/hubs/pulse/{path}negotiateVersion=1&ticket={ticket}", null);
            await again.ReadProblemAsync(HttpStatusCode.Unauthorized, "ticket-invalid");
        }
    }

    [Fact]
    public async Task TicketForAnIdThatWasNotNegotiatedWithIt_IsRefused()
    {
        var (ticket, _) = await AskAsync(TestTokens.Hs256(TestTokens.Claims(_ada)));

        using var refused = await UpgradeAsync($"{ticket}&id=AAAAAAAAAAAAAAAAAAAAAA");

        await refused.ReadProblemAsync(HttpStatusCode.Unauthorized, "ticket-invalid");
    }

    [Fact]
    public async Task UsedTicket_IsRefused_AndSoIsAnExpiredOne()
    {
        var grain = pulse.Services.GetRequiredService<IGrainFactory>().GetGrain<IHubTicketsGrain>(_ada);
        var ticket = Guid.NewGuid();

        Assert.True(await grain.UseAsync(ticket, DateTimeOffset.UtcNow.AddSeconds(30)));
        Assert.False(await grain.UseAsync(ticket, DateTimeOffset.UtcNow.AddSeconds(30)));
        Assert.False(await grain.UseAsync(Guid.NewGuid(), DateTimeOffset.UtcNow.AddSeconds(-1)));
    }

    [Fact]
    public async Task ExpiredTicket_IsRefusedByTheFrontEnd()
    {
        // A caller whose token has just expired: the ticket expires with it.
        var caller = new Caller { Issuer = "pulse", Subject = $"{_ada}", OwnUserId = _ada, ExpiresAt = DateTimeOffset.UtcNow.AddSeconds(-1) };
        var tickets = pulse.Services.GetRequiredService<HubTickets>();

        Assert.True(tickets.Issue(caller, _ada).ExpiresAt <= DateTimeOffset.UtcNow);
        using var refused = await UpgradeAsync(tickets.Issue(caller, _ada).Value);
        await refused.ReadProblemAsync(HttpStatusCode.Unauthorized, "ticket-invalid");
    }

    private async Task<(string Ticket, DateTimeOffset ExpiresAt)> AskAsync(string token)
    {
        using var client = pulse.As(token);
        using var answer = await client.PostAsync("/auth/hub-ticket", null);
        var body = await answer.ReadAsync(HttpStatusCode.OK);
        return ((string)body["ticket"]!, DateTimeOffset.Parse((string)body["expiresAt"]!, System.Globalization.CultureInfo.InvariantCulture));
    }

    private Task<HubClient> ConnectAsync(string ticket) => HubClient.ConnectAsync(pulse.Address, "", $"?ticket={ticket}");

    /// <summary>The answer to a refused request for a WebSocket.</summary>
    private Task<HttpResponseMessage> UpgradeAsync(string ticket)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"/hubs/pulse?ticket={ticket}");
        foreach (var (name, value) in (IEnumerable<(string, string)>)[
            ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")])
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return pulse.Anonymous.SendAsync(request);
    }
}
