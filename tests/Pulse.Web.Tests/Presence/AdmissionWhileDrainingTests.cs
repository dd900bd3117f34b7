using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Web.Connections;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Presence;

/// <summary>Connects that wait for admission when this front end starts to drain.</summary>
public sealed class AdmissionWhileDrainingTests(AdmissionWhileDrainingTests.Application pulse) : IClassFixture<AdmissionWhileDrainingTests.Application>
{
    private const string Negotiate = "/hubs/pulse/negotiate?negotiateVersion=1";

    public sealed class Application() : PulseApplication([
        KeyValuePair.Create("Pulse:Presence:ConnectsPerSecond", "1"), KeyValuePair.Create("Pulse:Drain:NoticePeriod", "00:00:00"),
        KeyValuePair.Create("Pulse:Drain:Window", "00:00:00")]);

    [Fact]
    public async Task WaitingConnects_AreRefused_AndNegotiatedOnesAreSentElsewhere()
    {
        var token = TestTokens.Hs256(TestTokens.Claims(Guid.CreateVersion7()));
        using var ada = pulse.As(token);
        using var first = await ada.PostAsync(Negotiate, null);
        var id = (await first.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("connectionToken").GetString();
        var waiting = Enumerable.Range(0, 4).Select(_ => ada.PostAsync(Negotiate, null)).ToArray();

        await pulse.Services.GetRequiredService<Drain>().RunAsync(CancellationToken.None);

        // The connects of the last seconds cannot have been admitted before.
        var answers = await Task.WhenAll(waiting);
        var refused = answers.Where(answer => answer.StatusCode != HttpStatusCode.OK).ToArray();
        Assert.InRange(refused.Length, 2, waiting.Length);
        foreach (var answer in refused) await answer.ReadProblemAsync(HttpStatusCode.ServiceUnavailable, "unavailable");
        foreach (var answer in answers) answer.Dispose();

        foreach (var path in new[] { Negotiate, Negotiate + "&id=x", "/hubs/pulse/negotiate/?id=x" })
        {
            using var late = await ada.PostAsync(path, null);
            await late.ReadProblemAsync(HttpStatusCode.ServiceUnavailable, "unavailable");
        }

        using var socket = await SlowSocket.ConnectAsync(pulse.Address, token, $"&id={id}");
        var ended = await socket.NextAsync("SessionEnded");
        Assert.Equal("server-stopping", ended.GetProperty("arguments")[0].GetProperty("reason").GetString());
        await socket.ClosedAsync();
    }
}
