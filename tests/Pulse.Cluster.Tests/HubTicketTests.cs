using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.WebSockets;
using System.Text.Json;
using Xunit.Abstractions;

namespace Pulse.Cluster.Tests;

/// <summary>Hub tickets where the silos are processes of their own.</summary>
public sealed class HubTicketTests(ClusterFixture fixture, ITestOutputHelper output) : ClusterTests(fixture, output)
{
    [Fact]
    public async Task Ticket_OfOneFrontEnd_OpensOneConnection_AtEither()
    {
        var userId = Guid.NewGuid();
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Cluster.AddressOf("front-end-1"), "/auth/hub-ticket"));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Cluster.Token(userId, Fleet.Email(userId)));
        using var answer = await Fleet.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var ticket = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("ticket").GetString()!;

        var opened = await Task.WhenAll(OpenAsync("front-end-2"), OpenAsync("front-end-1"), OpenAsync("front-end-2"));
        Assert.Equal([HttpStatusCode.SwitchingProtocols, HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized], opened.Order());
        Assert.Equal(HttpStatusCode.Unauthorized, await OpenAsync("front-end-2"));

        async Task<HttpStatusCode> OpenAsync(string frontEnd)
        {
            using var socket = new ClientWebSocket();
            socket.Options.CollectHttpResponseDetails = true;
            try
            {
                await socket.ConnectAsync(new UriBuilder(Cluster.AddressOf(frontEnd)) { Scheme = "ws", Path = "/hubs/pulse", Query = $"ticket={ticket}" }.Uri, CancellationToken.None);
            }
            catch (WebSocketException)
            {
                // Refused: the status says why.
            }

            return socket.HttpStatusCode;
        }
    }
}
