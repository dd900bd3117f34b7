using System.Diagnostics;
using System.Net;
using Pulse.Web.Presence;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.HotPaths;
using Xunit.Abstractions;

namespace Pulse.Web.Tests.Presence;

/// <summary>How much memory one signed-in user can make this process keep with lookups of unknown users.</summary>
[Collection(Alone.Name)]
public sealed class LookupMemoryTests(PulseApplication pulse, ITestOutputHelper output) : IClassFixture<PulseApplication>
{
    private const int Ids = 60_000;
    private const long Bound = 50 * 1024 * 1024;

    [Fact]
    public async Task RandomIds_LookedUpContinuously_UseNoMemory()
    {
        using var client = pulse.As(TestTokens.Hs256(TestTokens.Claims(Guid.CreateVersion7())));
        await AskAsync(client);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var clock = Stopwatch.StartNew();
        var refused = 0;
        for (var asked = 0; asked < Ids;)
        {
            if (await AskAsync(client)) asked += PresenceEndpoints.MaxUsers;
            else refused++;
        }

        var grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        output.WriteLine($"{Ids} ids in {clock.Elapsed.TotalSeconds:F1} s, {refused} requests refused, {grown / 1024} KiB kept");
        Assert.InRange(clock.Elapsed.TotalSeconds, (Ids - LookupLimit.AtOnce - PresenceEndpoints.MaxUsers) / (double)LookupLimit.PerSecond, double.MaxValue);
        Assert.InRange(grown, long.MinValue, Bound);
    }

    private static async Task<bool> AskAsync(HttpClient client)
    {
        var ids = string.Join(',', Enumerable.Range(0, PresenceEndpoints.MaxUsers).Select(_ => Guid.NewGuid()));
        using var answer = await client.GetAsync(new Uri($"/presence?ids={ids}", UriKind.Relative));
        if (answer.StatusCode == HttpStatusCode.TooManyRequests) return false;
        answer.EnsureSuccessStatusCode();
        return true;
    }
}
