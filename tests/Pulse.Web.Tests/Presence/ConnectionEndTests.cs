using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Presence;
using Pulse.Users;
using Pulse.Web.Connections;
using Pulse.Web.Http;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Presence;

/// <summary>Which end of a connection the grain is notified of, and which connection it replaces.</summary>
public sealed class ConnectionEndTests(ConnectionEndTests.Application pulse) : IClassFixture<ConnectionEndTests.Application>
{
    private const string Digits64 = "0123456789012345678901234567890123456789012345678901234567890123";

    private readonly Guid _ada = Guid.CreateVersion7();

    [Theory]
    [InlineData(WebSocketCloseStatus.NormalClosure, ConnectionEnd.Closed)]
    [InlineData(WebSocketCloseStatus.EndpointUnavailable, ConnectionEnd.Dropped)]
    [InlineData(WebSocketCloseStatus.InternalServerError, ConnectionEnd.Dropped)]
    [InlineData((WebSocketCloseStatus)4000, ConnectionEnd.Dropped)]
    public async Task WebSocketCloseCode_DistinguishesAGoodbyeFromALostPage(WebSocketCloseStatus code, ConnectionEnd expected)
    {
        using var socket = await SlowSocket.ConnectAsync(pulse.Address, Token(_ada));

        await socket.CloseAsync(code);

        Assert.Equal(expected, (await pulse.Calls.EndOfAsync(_ada)).How);
    }

    [Theory]
    [InlineData(WebSocketCloseStatus.NormalClosure, ConnectionEnd.Closed)]
    [InlineData(WebSocketCloseStatus.EndpointUnavailable, ConnectionEnd.Dropped)]
    public async Task WebSocketCloseCode_CountsEvenIfTheTcpConnectionEndsRightAfterIt(WebSocketCloseStatus code, ConnectionEnd expected)
    {
        using (var socket = await SlowSocket.ConnectAsync(pulse.Address, Token(_ada)))
        {
            await socket.CloseAsync(code);
        }

        Assert.Equal(expected, (await pulse.Calls.EndOfAsync(_ada)).How);
    }

    [Fact]
    public async Task ConnectWithoutAnAnswer_IsNoGoodbye_BecauseTheClientTriesAgain()
    {
        pulse.Calls.Lost[_ada] = true;

        await ConnectInVainAsync();

        Assert.Equal(ConnectionEnd.Dropped, (await pulse.Calls.EndOfAsync(_ada)).How);
    }

    [Fact]
    public async Task RefusedConnect_HasNoEnd_BecauseTheUserWasNotConnected()
    {
        pulse.Calls.Refused[_ada] = true;
        await ConnectInVainAsync();
        pulse.Calls.Refused.Clear();

        await using var ada = await HubClient.ConnectAsync(pulse.Address, Token(_ada));
        await ada.Connection.StopAsync();

        var (lease, _) = await pulse.Calls.EndOfAsync(_ada);
        Assert.Equal(pulse.Calls.LeasesOf(_ada)[^1].ConnectionId, lease.ConnectionId);
    }

    [Theory]
    [InlineData(HttpTransportType.WebSockets)]
    [InlineData(HttpTransportType.LongPolling)]
    public async Task StopOfTheDotNetClient_IsAGoodbye(HttpTransportType transport)
    {
        await using var ada = await HubClient.ConnectAsync(pulse.Address, Token(_ada), transport: transport);

        await ada.Connection.StopAsync();

        Assert.Equal(ConnectionEnd.Closed, (await pulse.Calls.EndOfAsync(_ada)).How);
    }

    [Fact]
    public async Task WebSocketCloseFrameWithoutACode_IsAGoodbye()
    {
        using var socket = await SlowSocket.ConnectAsync(pulse.Address, Token(_ada));

        await socket.CloseWithoutCodeAsync();

        Assert.Equal(ConnectionEnd.Closed, (await pulse.Calls.EndOfAsync(_ada)).How);
    }

    [Fact]
    public async Task LongPollingDelete_OfAClientThatSendsNoCloseMessage_IsAGoodbye()
    {
        using var http = pulse.As(Token(_ada));
        var poll = await PollAsync(http);

        (await http.DeleteAsync(poll)).EnsureSuccessStatusCode();

        Assert.Equal(ConnectionEnd.Closed, (await pulse.Calls.EndOfAsync(_ada)).How);
    }

    [Theory]
    [InlineData(true, ConnectionEnd.Closed)]
    [InlineData(false, ConnectionEnd.Dropped)]
    public async Task ServerSentEventsRequestThatEnds_IsAGoodbyeOnlyAfterSignalRsCloseMessage(bool withCloseMessage, ConnectionEnd expected)
    {
        using var http = pulse.As(Token(_ada));
        var connection = await NegotiateAsync(http);
        using (var request = new HttpRequestMessage(HttpMethod.Get, connection) { Headers = { Accept = { new("text/event-stream") } } })
        using (var events = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead))
        {
            using var reader = new StreamReader(await events.Content.ReadAsStreamAsync());
            await HandshakeAsync(http, connection);
            while (!(await reader.ReadLineAsync())!.Contains("Connected", StringComparison.Ordinal))
            {
            }

            if (withCloseMessage)
            {
                using var close = new StringContent("{\"type\":7}\u001e");
                (await http.PostAsync(connection, close)).EnsureSuccessStatusCode();
                await pulse.Calls.EndOfAsync(_ada);
            }
        }

        Assert.Equal(expected, (await pulse.Calls.EndOfAsync(_ada)).How);
    }

    [Fact]
    public async Task LongPollingClientThatSleeps_IsDroppedWithinTheClientTimeout()
    {
        using var http = pulse.As(Token(_ada));
        http.Timeout = TimeSpan.FromSeconds(60);
        var poll = await PollAsync(http);

        // The client pauses during this poll, and sends no further one.
        var asleep = DateTimeOffset.UtcNow;
        Assert.Equal("", await http.GetStringAsync(poll));
        var end = await pulse.Calls.EndOfAsync(_ada);

        // SignalR checks for abandoned connections once a second. A connection that it does not find stays open without an end, so that the
        // bound can allow for a busy machine.
        var noticedAfter = DateTimeOffset.UtcNow - asleep;
        Assert.InRange(noticedAfter, TimeSpan.FromSeconds(15), HubEndpoint.ClientTimeout + TimeSpan.FromSeconds(15));
        Assert.Equal(ConnectionEnd.Dropped, end.How);
        Assert.InRange(end.Lease.SeenAt, asleep.AddSeconds(-15), asleep.AddSeconds(5));
    }

    [Fact]
    public async Task PreviousConnection_IsNamedWithTheFirstLeaseOnly()
    {
        await using var ada = await HubClient.ConnectAsync(pulse.Address, Token(_ada), "?previous=Zm9ybWVy-_0");
        await ada.Connection.InvokeAsync("SetStatus", "busy", "writing");
        await ada.Connection.StopAsync();
        await pulse.Calls.EndOfAsync(_ada);

        var leases = pulse.Calls.LeasesOf(_ada);
        Assert.Equal("Zm9ybWVy-_0", leases[0].PreviousConnectionId);
        Assert.True(leases.Length >= 3, $"Expected a lease each of connect, status and end; there are {leases.Length}.");
        Assert.All(leases[1..], lease => Assert.Null(lease.PreviousConnectionId));
    }

    [Theory]
    [InlineData("")]
    [InlineData("?previous=")]
    [InlineData("?previous=a%20b")]
    [InlineData("?previous=a%2Fb")]
    [InlineData("?previous=one&previous=two")]
    [InlineData("?previous=" + Digits64 + Digits64 + "0")]
    public async Task PreviousConnection_WithAnInvalidId_IsIgnored(string query)
    {
        await using var ada = await HubClient.ConnectAsync(pulse.Address, Token(_ada), query);

        Assert.Null(pulse.Calls.LeasesOf(_ada)[0].PreviousConnectionId);
    }

    [Theory]
    [InlineData(WebSocketCloseStatus.EndpointUnavailable, new string[] { })]
    [InlineData(WebSocketCloseStatus.NormalClosure, new[] { "offline", "online" })]
    public async Task ReconnectingPage_IsNotShownAsOffline_UnlikeAClientThatStopsAndRestarts(
        WebSocketCloseStatus code, string[] expected)
    {
        await using var watcher = await HubClient.ConnectAsync(pulse.Address, Token(Guid.CreateVersion7()));
        using var before = await SlowSocket.ConnectAsync(pulse.Address, Token(_ada));
        await watcher.WatchAsync(_ada);

        await before.CloseAsync(code);
        await pulse.Calls.EndOfAsync(_ada);
        await using var after = await HubClient.ConnectAsync(pulse.Address, Token(_ada));
        await after.Connection.InvokeAsync("SetStatus", "busy", null);
        await watcher.StatusAsync(_ada, "busy");

        Assert.Equal([.. expected, "busy"], watcher.StatusesOf(_ada));
    }

    /// <summary>Connects by long polling, and polls until the hub has greeted.</summary>
    private static async Task<Uri> PollAsync(HttpClient http)
    {
        var poll = await NegotiateAsync(http);
        await http.GetStringAsync(poll);
        await HandshakeAsync(http, poll);
        var told = "";
        while (!told.Contains("Connected", StringComparison.Ordinal)) told += await http.GetStringAsync(poll);
        return poll;
    }

    private static async Task<Uri> NegotiateAsync(HttpClient http)
    {
        using var answer = await http.PostAsync(new Uri("/hubs/pulse/negotiate?negotiateVersion=1", UriKind.Relative), null);
        var negotiated = await answer.Content.ReadFromJsonAsync<JsonElement>();
        return new Uri($"/hubs/pulse?id={negotiated.GetProperty("connectionToken").GetString()}", UriKind.Relative);
    }

    private static async Task HandshakeAsync(HttpClient http, Uri connection)
    {
        using var handshake = new StringContent("{\"protocol\":\"json\",\"version\":1}\u001e");
        (await http.PostAsync(connection, handshake)).EnsureSuccessStatusCode();
    }

    private async Task ConnectInVainAsync()
    {
        await using var client = HubClient.Create(pulse.Address, Token(_ada));
        await client.Connection.StartAsync();
        await client.Closed;
    }

    private static string Token(Guid userId) => TestTokens.Hs256(TestTokens.Claims(userId));

    public sealed class Application : PulseApplication
    {
        internal Calls Calls { get; } = new();

        private protected override void Adjust(IServiceCollection services) => services.AddSingleton<IIncomingGrainCallFilter>(Calls);
    }

    /// <summary>The calls to users' grains about connections.</summary>
    internal sealed class Calls : IIncomingGrainCallFilter
    {
        private readonly ConcurrentDictionary<Guid, ConcurrentQueue<ConnectionLease>> _leases = new();
        private readonly ConcurrentDictionary<Guid, TaskCompletionSource<(ConnectionLease Lease, ConnectionEnd How)>> _ends = new();

        /// <summary>The answers to connects of these users are lost.</summary>
        public ConcurrentDictionary<Guid, bool> Lost { get; } = new();

        /// <summary>Connects of these users are refused.</summary>
        public ConcurrentDictionary<Guid, bool> Refused { get; } = new();

        public ConnectionLease[] LeasesOf(Guid userId) => [.. _leases[userId]];

        public Task<(ConnectionLease Lease, ConnectionEnd How)> EndOfAsync(Guid userId) =>
            EndOf(userId).Task.WaitAsync(TimeSpan.FromSeconds(60));

        public async Task Invoke(IIncomingGrainCallContext context)
        {
            if (context.InterfaceMethod.DeclaringType != typeof(IUserGrain))
            {
                await context.Invoke();
                return;
            }

            var userId = context.TargetContext.GrainId.GetGuidKey();
            for (var i = 0; i < context.Request.GetArgumentCount(); i++)
            {
                var leases = context.Request.GetArgument(i) switch
                {
                    ConnectionLease lease => [lease],
                    IEnumerable<ConnectionLease> several => several,
                    _ => [],
                };
                foreach (var lease in leases) _leases.GetOrAdd(userId, _ => new()).Enqueue(lease);
            }

            var connects = context.InterfaceMethod.Name == nameof(IUserGrain.ConnectAsync);
            if (connects && Refused.ContainsKey(userId)) throw new UserRefusedException(UserState.Disabled);
            await context.Invoke();
            if (connects && Lost.ContainsKey(userId)) throw new TimeoutException("Not answered.");
            if (context.InterfaceMethod.Name == nameof(IUserGrain.DisconnectAsync))
            {
                var lease = (ConnectionLease)context.Request.GetArgument(0)!;
                EndOf(userId).TrySetResult((lease, (ConnectionEnd)context.Request.GetArgument(1)!));
            }
        }

        private TaskCompletionSource<(ConnectionLease Lease, ConnectionEnd How)> EndOf(Guid userId) =>
            _ends.GetOrAdd(userId, _ => new(TaskCreationOptions.RunContinuationsAsynchronously));
    }
}
