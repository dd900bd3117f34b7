using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Orleans.Runtime;
using Pulse.Grains.Presence;
using Xunit;

namespace Pulse.Grains.Tests.Presence;

/// <summary>Which decisions a silo may make after a pause, with a clock and a membership table that the test controls.</summary>
public sealed class SiloPauseGuardTests : IDisposable
{
    private static readonly PresenceOptions s_options = new();
    private static readonly TimeSpan s_noticed = s_options.PauseThreshold + TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly Membership _membership = new();
    private readonly SiloPauseGuard _guard;

    public SiloPauseGuardTests() =>
        _guard = new(_membership, Microsoft.Extensions.Options.Options.Create(s_options), _time, NullLogger<SiloPauseGuard>.Instance);

    public void Dispose() => _guard.Dispose();

    [Fact]
    public async Task RunningSilo_MayExpireLeases_WithoutReadingTheTable()
    {
        Assert.True(_guard.MayExpireLeases);
        for (var i = 0; i < 100; i++)
        {
            await _guard.TickAsync();
            _time.Advance(s_options.PauseThreshold);
            Assert.True(_guard.IsRunning);
            Assert.True(_guard.MayExpireLeases);
        }

        Assert.Equal(0, _membership.Reads);
    }

    [Fact]
    public async Task PausedSilo_MayNotExpireLeases_EvenBeforeItDetectsThePause()
    {
        await _guard.TickAsync();
        _time.Advance(s_noticed);

        Assert.False(_guard.IsRunning);
        Assert.False(_guard.MayExpireLeases);
    }

    [Fact]
    public async Task AfterPause_MembershipIsReadFirst()
    {
        await _guard.TickAsync();
        _time.Advance(s_noticed);
        _membership.Answer = new();

        var goingOn = _guard.TickAsync();
        Assert.Equal(1, _membership.Reads);
        Assert.False(_guard.IsRunning);

        // Every answer that gets here means "alive", because a silo that the table lists as dead is terminated inside the refresh.
        _membership.Answer.SetResult();
        await goingOn;
        Assert.True(_guard.IsRunning);
    }

    [Fact]
    public async Task AfterPause_LeasesExpireOnlyAfterTakeoverWindow()
    {
        await _guard.TickAsync();
        _time.Advance(s_noticed);
        await _guard.TickAsync();

        var left = s_options.TakeoverWindow;
        for (var step = TimeSpan.FromSeconds(1); left > TimeSpan.Zero; left -= step)
        {
            Assert.False(_guard.MayExpireLeases);
            _time.Advance(step);
            await _guard.TickAsync();
        }

        Assert.True(_guard.MayExpireLeases);
    }

    [Fact]
    public async Task MembershipUnreadable_ResumesAfterTakeoverWindow()
    {
        await _guard.TickAsync();
        _time.Advance(s_noticed);
        _membership.Answer = new();
        _membership.Answer.SetException(new InvalidOperationException("Redis is away."));

        await _guard.TickAsync();

        Assert.True(_guard.IsRunning);
        Assert.False(_guard.MayExpireLeases);
    }

    [Fact]
    public async Task ClockSetBack_IsNoPause()
    {
        await _guard.TickAsync();
        _time.AdjustTime(_time.GetUtcNow() - TimeSpan.FromHours(1));
        await _guard.TickAsync();

        Assert.True(_guard.MayExpireLeases);
        Assert.Equal(0, _membership.Reads);
    }

    private sealed class Membership : IClusterMembershipService
    {
        public TaskCompletionSource? Answer { get; set; }

        public int Reads { get; private set; }

        public ClusterMembershipSnapshot CurrentSnapshot => throw new NotSupportedException();

        public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => throw new NotSupportedException();

        public ValueTask Refresh(MembershipVersion minimumVersion = default, CancellationToken cancellationToken = default)
        {
            Reads++;
            return Answer is null ? ValueTask.CompletedTask : new(Answer.Task);
        }

        public Task<bool> TryKill(SiloAddress siloAddress) => throw new NotSupportedException();
    }
}
