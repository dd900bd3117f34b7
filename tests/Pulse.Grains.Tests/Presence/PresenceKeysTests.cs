using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Pulse.Grains.Presence;
using Pulse.Grains.Tests.Presence.Watching;
using Xunit;

namespace Pulse.Grains.Tests.Presence;

/// <summary>A silo's handling of the keys of its online users, with the index in memory and a clock that the test sets.</summary>
public sealed class PresenceKeysTests
{
    private readonly SteppedClock _clock = new();
    private readonly MemoryPresenceIndex _index;
    private readonly PresenceKeys _keys;
    private readonly Guid _user = Guid.CreateVersion7();

    public PresenceKeysTests()
    {
        var options = Options.Create(new PresenceOptions());
        _index = new(options, _clock);
        _keys = new(_index, options, _clock, NullLogger<PresenceKeys>.Instance);
    }

    [Fact]
    public async Task InvisibleUser_HasBothKeys_ForAsLongAsTheyAreRenewed()
    {
        await _keys.SetOnlineAsync(_user, State(invisible: true));
        for (var i = 0; i < 10; i++)
        {
            _clock.Set(_clock.Now.AddSeconds(20));
            await _keys.RenewAsync();
            Assert.Equal((true, true), (await _index.IsOnlineAsync(_user), await _index.IsInvisibleAsync(_user)));
        }

        await _keys.TouchAsync(_user, State(invisible: false));
        Assert.Equal((true, false), (await _index.IsOnlineAsync(_user), await _index.IsInvisibleAsync(_user)));
    }

    [Fact]
    public async Task UserWhoseGrainMoved_KeyExpiresByTimeToLive()
    {
        await _keys.SetOnlineAsync(_user, State(invisible: false));
        _clock.Set(_clock.Now.AddSeconds(51));
        var (user, deadline) = Assert.Single(_keys.FindExpired());
        Assert.Equal(_user, user);

        // As after a call that went to the grain on another silo, and left the entry here unchanged.
        _keys.ReleaseIfUntouched(_user, deadline);

        Assert.Empty(_keys.FindExpired());
        _clock.Set(_clock.Now.AddSeconds(60));
        await _keys.RenewAsync();
        Assert.False(await _index.IsOnlineAsync(_user));
    }

    [Fact]
    public async Task UserWhoseNextDeadlinePassesDuringTheCall_IsFoundAgain()
    {
        await _keys.SetOnlineAsync(_user, State(invisible: false));
        _clock.Set(_clock.Now.AddSeconds(50));
        var (_, deadline) = Assert.Single(_keys.FindExpired());

        // The grain has another lease, which ends a moment later.
        await _keys.TouchAsync(_user, new(_clock.Now.AddMilliseconds(1), _clock.Now, false));
        _clock.Set(_clock.Now.AddMilliseconds(1));
        _keys.ReleaseIfUntouched(_user, deadline);

        Assert.Single(_keys.FindExpired());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task UserWhoIsReportedOnlineAfterTheRelease_HasTheKeysAgain(bool invisible)
    {
        await _keys.SetOnlineAsync(_user, State(!invisible));
        _keys.Release(_user);
        await _index.SetOfflineAsync(_user, wasInvisible: false);

        await _keys.TouchAsync(_user, State(invisible));
        await _keys.RenewAsync();

        Assert.Equal((true, invisible), (await _index.IsOnlineAsync(_user), await _index.IsInvisibleAsync(_user)));
    }

    private PresenceKeys.OnlineState State(bool invisible) => new(_clock.Now.AddSeconds(50), _clock.Now, invisible);
}
