using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Users;
using Pulse.Web.Presence;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Presence;

/// <summary>Requests about absent users cost no memory for them.</summary>
[Collection(SharedPulse.Name)]
public sealed class AbsentUsersTests(PulseApplication pulse)
{
    [Fact]
    public async Task Lookup_OfRandomIds_LeavesNoActivation()
    {
        using var client = pulse.As(Token());
        var ids = NewIds(PresenceEndpoints.MaxUsers);

        var answers = await client.GetFromJsonAsync<JsonElement[]>(new Uri($"/presence?ids={string.Join(',', ids)}", UriKind.Relative));

        Assert.Equal(ids, answers!.Select(answer => answer.GetProperty("userId").GetGuid()));
        Assert.All(answers!, answer => Assert.Equal("offline", answer.GetProperty("status").GetString()));
        Assert.Equal(0, await CountActiveAsync(ids));
    }

    [Fact]
    public async Task Watch_OfRandomIds_LeavesNoActivation_AndNotifiesWhenOneConnects()
    {
        await using var ada = await HubClient.ConnectAsync(pulse.Address, Token());
        var ids = NewIds(PresenceWatches.MaxPerConnection);

        var answers = await ada.WatchAsync(ids);

        Assert.All(answers, answer => Assert.Equal("offline", answer.GetProperty("status").GetString()));
        Assert.Equal(0, await CountActiveAsync(ids));

        await using var bob = await HubClient.ConnectAsync(pulse.Address, TestTokens.Hs256(TestTokens.Claims(ids[7])));
        await ada.StatusAsync(ids[7], "online");
    }

    private static Guid[] NewIds(int count) => [.. Enumerable.Range(0, count).Select(_ => Guid.NewGuid())];

    private static string Token() => TestTokens.Hs256(TestTokens.Claims(Guid.CreateVersion7()));

    private async Task<int> CountActiveAsync(Guid[] users)
    {
        var grains = pulse.Services.GetRequiredService<IGrainFactory>();
        var active = (await grains.GetGrain<IManagementGrain>(0).GetDetailedGrainStatistics()).Select(grain => grain.GrainId).ToHashSet();
        return users.Count(user => active.Contains(grains.GetGrain<IUserGrain>(user).GetGrainId()));
    }
}
