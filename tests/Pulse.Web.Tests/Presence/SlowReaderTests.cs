using Microsoft.Extensions.DependencyInjection;
using Pulse.Presence;
using Pulse.Web.Presence;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Presence;

/// <summary>Clients that do not read what they are sent.</summary>
[Collection(SharedPulse.Name)]
public sealed class SlowReaderTests(PulseApplication pulse)
{
    // Some 10 MB: more than the server's end of the network takes (net.ipv4.tcp_wmem).
    private const int Changes = 10_000;

    private readonly Guid _ada = Guid.CreateVersion7();
    private readonly Guid _bob = Guid.CreateVersion7();

    [Fact]
    public async Task SlowReader_DelaysNobody_AndIsToldTheNewestOnly()
    {
        using var slow = await SlowSocket.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims(_ada)));
        using var fast = await SlowSocket.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims(Guid.CreateVersion7())));
        var before = await WatchAsync(slow);
        await WatchAsync(fast);

        await ChangeAsync(before);
        var last = $"\"version\":{before + Changes}";
        await fast.NextAsync(last);

        var (told, latest) = (0, before);
        while (latest < before + Changes)
        {
            var version = (await slow.NextAsync("PresenceChanged")).GetProperty("arguments")[0].GetProperty("version").GetInt64();
            Assert.True(version > latest, $"Version {version} was told after {latest}.");
            (told, latest) = (told + 1, version);
        }

        Assert.InRange(told, 1, Changes * 3 / 4);
    }

    /// <returns>The version of what is seen of Bob.</returns>
    private async Task<long> WatchAsync(SlowSocket socket)
    {
        await socket.CallAsync("WatchPresence", [new[] { _bob }], id: "1");
        return (await socket.NextAsync("\"invocationId\":\"1\"")).GetProperty("result")[0].GetProperty("version").GetInt64();
    }

    /// <summary>As if Bob's grain told of that many changes, no faster than they can be sent.</summary>
    private async Task ChangeAsync(long before)
    {
        var watches = pulse.Services.GetRequiredService<PresenceWatches>();
        for (var i = 1; i <= Changes; i++)
        {
            watches.Take(new() { UserId = _bob, Status = PresenceStatus.Online, Message = $"{i} {new string('é', 130)}", Version = before + i });
            if (i % 50 == 0) await Task.Delay(1);
        }
    }
}
