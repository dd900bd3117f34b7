using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Pulse.Web.Keys;
using Pulse.Web.Tests.Presence;
using Pulse.Web.Tests.Sessions;
using Xunit.Abstractions;

namespace Pulse.Web.Tests.TwoNodes;

/// <summary>
/// Rotations of the key that signs tokens, while sockets are open and each node gets tokens that the other one has just signed.
/// </summary>
[Collection(TimedOnTwoNodes.Name)]
public sealed class KeyRotationTests(TwoNodes nodes, ITestOutputHelper output)
{
    // PULSE_ROTATION_SOCKETS=500 and PULSE_ROTATION_SECONDS=60 repeat the measurement of docs/operating.md. The test's smaller numbers find
    // the same faults.
    private static readonly int s_sockets = Setting("PULSE_ROTATION_SOCKETS", 40);
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(Setting("PULSE_ROTATION_SECONDS", 5));

    private const int Rotations = 3;
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    // 50 requests a second.
    private static readonly TimeSpan s_requestInterval = TimeSpan.FromMilliseconds(20);

    [Fact]
    public async Task Rotations_KeepUsersSignedIn_AndAcceptEveryToken()
    {
        using var onA = await Browser.SignInAsync(nodes.A);
        using var onB = new Browser(nodes.B) { Cookie = onA.Cookie };
        var sockets = new ConcurrentBag<HubClient>();
        await Parallel.ForEachAsync(Enumerable.Range(0, s_sockets), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            using var user = await Browser.SignInAsync(nodes.A);
            sockets.Add(await HubClient.ConnectAsync((i % 2 == 0 ? nodes.A : nodes.B).Address, await TokenAsync(user)));
        });

        var refused = new ConcurrentBag<string>();
        var keyIds = new ConcurrentDictionary<string, int>();
        var clock = Stopwatch.StartNew();
        var sent = new List<Task>();
        var rotations = 0;
        using var timer = new PeriodicTimer(s_requestInterval);

        // On a busy machine the rotations take longer than the duration. Each comes after the first token of the key before it.
        while (clock.Elapsed < s_duration || (keyIds.Count <= Rotations && clock.Elapsed < s_duration + s_bound))
        {
            sent.Add(RequestAsync(sent.Count % 2 == 0));
            if (clock.Elapsed > s_duration * (rotations + 1) / 5 && rotations < Rotations && keyIds.Count > rotations)
            {
                var node = rotations++ % 2 == 0 ? nodes.A : nodes.B;
                await node.Services.GetRequiredService<TokenKeys>().RotateAsync(atOnce: true);
            }

            await timer.WaitForNextTickAsync();
        }

        await Task.WhenAll(sent);
        output.WriteLine($"{sent.Count} requests in {clock.Elapsed.TotalSeconds:0} s, {sockets.Count} sockets, {rotations} rotations, key ids: {keyIds.Count}, refused: {refused.Count}");
        Assert.Equal(Rotations, rotations);
        Assert.True(keyIds.Count > Rotations, $"Expected tokens of {Rotations + 1} keys, got {keyIds.Count}.");
        Assert.Empty(refused);
        Assert.All(sockets, socket => Assert.Equal(Microsoft.AspNetCore.SignalR.Client.HubConnectionState.Connected, socket.Connection.State));
        foreach (var socket in sockets) await socket.DisposeAsync();

        // A token of one node, used on the other at once.
        async Task RequestAsync(bool fromA)
        {
            var token = await TokenAsync(fromA ? onA : onB);
            keyIds.AddOrUpdate(new JsonWebToken(token).Kid, 1, (_, count) => count + 1);
            using var client = (fromA ? nodes.B : nodes.A).As(token);
            using var answer = await client.GetAsync("/auth/me");

            // A busy machine may be too slow for a request, which says nothing about its token.
            if (answer.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable))
                refused.Add($"{(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        }
    }

    private static async Task<string> TokenAsync(Browser browser)
    {
        string? token = null;
        await Eventually.AsyncTrue("Pulse is available", async () =>
        {
            using var answer = await browser.PostAsync("/auth/token");
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable) return false;
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.IsSuccessStatusCode, text);
            token = (string?)JsonNode.Parse(text)!["accessToken"];
            return true;
        });
        return token!;
    }

    private static int Setting(string name, int otherwise) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? int.Parse(value, CultureInfo.InvariantCulture) : otherwise;
}
