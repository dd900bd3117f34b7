using System.Security.Cryptography;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Identity;
using Pulse.Users;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

/// <summary>Two silos, real PostgreSQL.</summary>
public sealed class UserSessionsGrainTests(PulseCluster cluster) : IClassFixture<PulseCluster>
{
    private readonly Guid _id = Guid.CreateVersion7();
    private readonly byte[] _hash = RandomNumberGenerator.GetBytes(32);

    private IUserSessionsGrain Sessions => cluster.Client.GetGrain<IUserSessionsGrain>(_id);

    private IManagementGrain Management => cluster.Client.GetGrain<IManagementGrain>(0);

    [Fact]
    public async Task Start_ForAUserWithoutRow_IsNull() => Assert.Null(await Sessions.StartAsync(new() { TokenHash = _hash }));

    [Fact]
    public async Task Session_OutlivesItsActivation()
    {
        var started = await StartAsync();
        await cluster.Cluster.DeactivateAsync(Sessions);

        Assert.Equal(started, await Sessions.AuthenticateAsync(_hash, "10.0.0.2"));
        Assert.Equal(started, Assert.Single(await Sessions.ListAsync()));
    }

    [Fact]
    public async Task End_HoldsOnEverySilo_AndAfterItsActivation()
    {
        var session = await StartAsync();
        Assert.All(await AskEverySiloAsync(session!.Id), Assert.True);

        Assert.True(await Sessions.EndAsync(session.Id));

        Assert.All(await AskEverySiloAsync(session.Id), Assert.False);
        await cluster.Cluster.DeactivateAsync(Sessions);
        Assert.Null(await Sessions.AuthenticateAsync(_hash, null));
    }

    [Fact]
    public async Task EndAll_HoldsAfterItsActivation()
    {
        await StartAsync();
        await Sessions.EndAllAsync();
        await cluster.Cluster.DeactivateAsync(Sessions);

        Assert.Empty(await Sessions.ListAsync());
    }

    [Fact]
    public async Task Start_OneHundredAtOnce_KeepsFifty()
    {
        await SyncAsync();
        await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => Sessions.StartAsync(new() { TokenHash = RandomNumberGenerator.GetBytes(32) })));
        await cluster.Cluster.DeactivateAsync(Sessions);

        Assert.Equal(50, (await Sessions.ListAsync()).Length);
    }

    [Fact]
    public async Task Check_OfAUserWithoutSession_LeavesNoActivation()
    {
        Assert.Null(await Sessions.AuthenticateAsync(_hash, null));

        await AssertGoneAsync(Sessions);
    }

    [Fact]
    public async Task EndOfTheLastSession_LeavesNoActivation()
    {
        var session = await StartAsync();
        Assert.True(await IsActiveAsync(Sessions));
        Assert.True(await Sessions.EndAsync(session!.Id));

        await AssertGoneAsync(Sessions);
    }

    [Fact]
    public async Task SignInLink_LeavesNoActivation()
    {
        var (peeked, consumed) = (NewLink(), NewLink());
        Assert.Equal(SignInLinkState.Unknown, (await peeked.PeekAsync()).State);
        Assert.Equal(SignInLinkState.Unknown, (await consumed.ConsumeAsync()).State);

        await AssertGoneAsync(peeked);
        await AssertGoneAsync(consumed);
    }

    private ISignInLinkGrain NewLink() => cluster.Client.GetGrain<ISignInLinkGrain>(SignInLinkKey.From(RandomNumberGenerator.GetBytes(32)));

    private Task AssertGoneAsync(IAddressable grain) => Eventually.AsyncEqual(false, () => IsActiveAsync(grain));

    // Asks the silos for their activations, because a lookup would use caches.
    private async Task<bool> IsActiveAsync(IAddressable grain) =>
        (await Management.GetDetailedGrainStatistics()).Any(activation => activation.GrainId == grain.GetGrainId());

    private async Task<SignInSession?> StartAsync()
    {
        await SyncAsync();
        return await Sessions.StartAsync(new() { TokenHash = _hash, Device = "Firefox", Address = "10.0.0.1" });
    }

    private Task<ProfileSyncResult> SyncAsync() => cluster.Client.GetGrain<IUserGrain>(_id).SyncProfileAsync(new() { Email = $"{_id:N}@sessions.test", Name = "Ada" });

    private Task<bool[]> AskEverySiloAsync(Guid sessionId) => Task.WhenAll(cluster.Cluster.Silos.Select(silo =>
        cluster.Cluster.GetSiloServiceProvider(silo.SiloAddress).GetRequiredService<IGrainFactory>().GetGrain<IUserSessionsGrain>(_id).IsLiveAsync(sessionId)));
}
