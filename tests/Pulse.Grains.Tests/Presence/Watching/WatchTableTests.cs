using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Pulse.Grains.Presence;
using Pulse.Grains.Presence.Watching;
using Pulse.Presence;
using Xunit;

namespace Pulse.Grains.Tests.Presence.Watching;

public sealed class WatchTableTests
{
    private static readonly TimeSpan s_lifetime = TimeSpan.FromSeconds(60);

    private readonly FakeTimeProvider _time = new();
    private readonly TestFrontEnd _frontEnd = new();
    private readonly WatchTable _table;
    private readonly Guid _ada = Guid.NewGuid();
    private readonly Guid _bob = Guid.NewGuid();
    private long _version;

    public WatchTableTests() => _table = new(Options.Create(new PresenceOptions { TimeToLive = s_lifetime }), _time);

    [Fact]
    public void Change_IsSentToTheFrontEndsThatWatchTheUser_AndToNoOther()
    {
        var other = new TestFrontEnd();
        _table.Update("a", _frontEnd, [_ada], [], 0);
        _table.Update("b", other, [_bob], [], 0);

        var change = Publish(_ada);

        Assert.Equal([change], _frontEnd.ChangesOf(_ada));
        Assert.Empty(other.ChangesOf(_ada));
    }

    [Fact]
    public void RemovedUser_IsNotSent()
    {
        var added = _table.Update("a", _frontEnd, [_ada, _bob], [], 0);
        _table.Update("a", _frontEnd, [], [_ada], added.Generation);

        Publish(_ada);
        Publish(_bob);

        Assert.Empty(_frontEnd.ChangesOf(_ada));
        Assert.Single(_frontEnd.ChangesOf(_bob));
    }

    [Fact]
    public void LostUpdate_MakesTheFrontEndSendAllAgain()
    {
        var first = _table.Update("a", _frontEnd, [_ada], [], 0);

        // The answer is lost.
        _table.Update("a", _frontEnd, [_bob], [], first.Generation);

        Assert.Equal(0, _table.Update("a", _frontEnd, [], [], first.Generation).Generation);
        Assert.Equal(0, _table.Renew("a", first.Generation, 0).Generation);
        Assert.NotEqual(0, _table.Update("a", _frontEnd, [_ada, _bob], [], 0).Generation);
    }

    [Fact]
    public void Renewal_AnswersTheLatestChangeOfEachUserSinceTheMark()
    {
        var generation = _table.Update("a", _frontEnd, [_ada, _bob], [], 0).Generation;
        Publish(_ada);
        var latest = Publish(_ada);
        Publish(Guid.NewGuid());

        var first = _table.Renew("a", generation, 0);
        Assert.Equal([latest], first.Changes);
        Assert.Empty(_table.Renew("a", generation, first.Mark).Changes);

        var next = Publish(_bob);
        Assert.Equal([next], _table.Renew("a", generation, first.Mark).Changes);
    }

    [Fact]
    public void ChangeMissedByAFrontEnd_BeforeItKnewTheSilo_IsReturnedByItsUpdate()
    {
        Assert.True(_table.IsWatched(_ada));
        var change = Publish(_ada);

        Assert.Equal([change], _table.Update("a", _frontEnd, [_ada, _bob], [], 0).Changes);
    }

    [Fact]
    public void SilentFrontEnd_IsForgotten_AndSoAreOldChanges()
    {
        _time.Advance(s_lifetime);
        var generation = _table.Update("a", _frontEnd, [_ada], [], 0).Generation;
        Publish(_ada);
        _time.Advance(s_lifetime - TimeSpan.FromSeconds(1));
        Assert.Equal(generation, _table.Renew("a", generation, 0).Generation);
        Assert.True(_table.IsWatched(_ada));
        Assert.False(_table.IsWatched(_bob));

        _time.Advance(s_lifetime);

        Assert.Equal(0, _table.Renew("a", generation, 0).Generation);
        Assert.Empty(_table.Update("a", _frontEnd, [], [], 0).Changes);
        _time.Advance(s_lifetime);
        Assert.False(_table.IsWatched(_ada));
        Assert.Empty(_table.Update("a", _frontEnd, [_ada], [], 0).Changes);
    }

    [Fact]
    public void PausedFrontEnd_ThatWasForgotten_GetsTheChangesUntilItRegistersAgain()
    {
        _time.Advance(s_lifetime);
        var generation = _table.Update("a", _frontEnd, [_ada], [], 0).Generation;
        _time.Advance(s_lifetime + TimeSpan.FromSeconds(15));
        Assert.Equal(0, _table.Renew("a", generation, 0).Generation);

        Assert.True(_table.IsWatched(_ada));
        var change = Publish(_ada);

        Assert.Equal([change], _table.Update("a", _frontEnd, [_ada], [], 0).Changes);
    }

    private PresenceSnapshot Publish(Guid userId)
    {
        var snapshot = new PresenceSnapshot { UserId = userId, Status = PresenceStatus.Online, Version = ++_version };
        _table.Publish(snapshot);
        return snapshot;
    }
}
