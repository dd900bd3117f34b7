using Pulse.Grains.Presence;
using Pulse.Presence;
using Xunit;

namespace Pulse.Grains.Tests.Presence;

public sealed class PublishedPresenceTests
{
    private static readonly DateTimeOffset s_start = new(2026, 11, 25, 12, 0, 0, TimeSpan.Zero);

    private readonly PublishedPresence _published = new(Guid.NewGuid());
    private DateTimeOffset _now = s_start;
    private DateTimeOffset? _lastSeenAt;

    [Fact]
    public void ConnectingAndDisconnecting_WhileInvisible_RaisesOnlyTheOwnVersion()
    {
        Come(PresenceStatus.Online);
        var hidden = Leave(PresenceStatus.Invisible);

        foreach (var status in new[] { PresenceStatus.Offline, PresenceStatus.Invisible, PresenceStatus.Offline })
        {
            var shown = Come(status);
            Assert.Equal(hidden.VersionForOthers, shown.VersionForOthers);
            Assert.True(shown.Version > hidden.Version);
        }
    }

    [Fact]
    public void EveryChangeThatOthersSee_IsAHigherVersionForThem()
    {
        long[] versions =
        [
            Come(PresenceStatus.Online).VersionForOthers, Come(PresenceStatus.Busy).VersionForOthers, Leave(PresenceStatus.Invisible).VersionForOthers,
            Come(PresenceStatus.Online).VersionForOthers, Leave(PresenceStatus.Offline).VersionForOthers,
        ];

        Assert.Equal(versions.Distinct().Order(), versions);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FirstQuery_GetsANewVersion_WhateverTheAgeOfTheActivation(bool isNew)
    {
        Come(PresenceStatus.Online);
        var hidden = Leave(PresenceStatus.Invisible);
        var visibility = isNew ? new PublishedPresence(hidden.UserId) : _published;
        Show(visibility, isNew ? PresenceStatus.Offline : PresenceStatus.Invisible);

        visibility.AdvancePast(0, _now = s_start.AddMinutes(5));

        Assert.Equal(_now.ToUnixTimeMilliseconds(), Show(visibility, isNew ? PresenceStatus.Offline : PresenceStatus.Invisible).VersionForOthers);
    }

    [Fact]
    public void RepeatedQuery_ChangesNothing()
    {
        var online = Come(PresenceStatus.Online);

        _published.AdvancePast(online.Version, _now);

        Assert.Equal(online, Come(PresenceStatus.Online));
    }

    [Fact]
    public void NewActivation_SiloClockBehind_RaisesTheVersionAboveTheFrontEnds()
    {
        var online = Come(PresenceStatus.Online);
        _now = s_start.AddMinutes(-1);
        var visibility = new PublishedPresence(online.UserId);
        Show(visibility, PresenceStatus.Online);

        visibility.AdvancePast(online.Version, _now);

        var shown = Show(visibility, PresenceStatus.Online);
        Assert.True(shown.Version > online.Version);
        Assert.True(shown.VersionForOthers > online.VersionForOthers);
    }

    // As the grain does: a user that becomes invisible or disconnects was seen last at that moment.
    private PresenceSnapshot Leave(PresenceStatus status)
    {
        _now = _now.AddSeconds(1);
        _lastSeenAt = _now.AddMilliseconds(-10);
        return Show(_published, status);
    }

    private PresenceSnapshot Come(PresenceStatus status) => Show(_published, status);

    private PresenceSnapshot Show(PublishedPresence visibility, PresenceStatus status)
    {
        _now = _now.AddSeconds(1);
        return visibility.Update(status, null, _lastSeenAt, concealed: false, provisional: false, _now).Snapshot;
    }
}
