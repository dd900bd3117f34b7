using System.ComponentModel.DataAnnotations;
using Pulse.Grains.Presence;
using Pulse.Presence;
using Xunit;

namespace Pulse.Grains.Tests.Presence;

public sealed class PresenceOptionsTests
{
    private static readonly DateTimeOffset s_start = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    public static TheoryData<string, string, string, string> Faults() => new()
    {
        { "AwayAfter", "00:00:30", "00:01:00", "00:00:45" },
        { "AwayAfter", "00:00:44", "00:01:00", "00:00:45" },
        { "AwayAfter", "00:00:00", "00:01:00", "00:00:45" },
        { "AwayAfter", "-00:05:00", "00:01:00", "00:00:45" },
        { "AwayAfter", "00:05:00", "01:00:00", "00:15:30" },
        { "AwayAfter", "10675199.02:48:05", "00:01:00", "365.00:00:00" },
        { "HeartbeatInterval", "00:00:00.5", "00:01:00", "00:00:30" },
        { "HeartbeatInterval", "10675199.02:48:05", "00:01:00", "a day" },
        { "OfflineGrace", "10675199.02:48:05", "00:01:00", "a day" },
        { "OfflineGrace", "-00:00:01", "00:01:00", "not negative" },
        { "TimeToLive", "00:00:00.5", "00:00:00.5", "a second" },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void FaultyTime_IsOneFault_ThatNamesTheSettingItsValueAndTheRange(string setting, string value, string timeToLive, string range)
    {
        var options = new PresenceOptions { TimeToLive = TimeSpan.Parse(timeToLive, null) };
        typeof(PresenceOptions).GetProperty(setting)!.SetValue(options, TimeSpan.Parse(value, null));

        var fault = Assert.Single(Validate(options));

        Assert.StartsWith($"Pulse:Presence:{setting} is {TimeSpan.Parse(value, null)}; ", fault, StringComparison.Ordinal);
        Assert.Contains(range, fault, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("00:00:45")]
    [InlineData("00:05:00")]
    [InlineData("365.00:00:00")]
    public void AwayAfter_FromTheMinimumToAYear_IsAccepted(string awayAfter) =>
        Assert.Empty(Validate(new PresenceOptions { AwayAfter = TimeSpan.Parse(awayAfter, null) }));

    [Theory]
    [InlineData(30, 60)]
    [InlineData(20, 60)]
    [InlineData(7, 24)]
    public void ClientThatSendsItsHeartbeats_IsNeverAway_WithTheMinimum_AndSometimesWithTwoSecondsLess(int heartbeatSeconds, int timeToLiveSeconds)
    {
        var options = new PresenceOptions { HeartbeatInterval = TimeSpan.FromSeconds(heartbeatSeconds), TimeToLive = TimeSpan.FromSeconds(timeToLiveSeconds) };

        Assert.False(IsEverAway(options, options.MinAwayAfter));
        Assert.True(IsEverAway(options, options.MinAwayAfter - TimeSpan.FromSeconds(2)));
    }

    // A heartbeat may come at any time between two renewals.
    private static bool IsEverAway(PresenceOptions options, TimeSpan awayAfter)
    {
        var (heartbeat, renewal) = ((int)options.HeartbeatInterval.TotalSeconds, (int)LeaseTimes.RenewalInterval(options.TimeToLive).TotalSeconds);
        return Enumerable.Range(0, heartbeat).Any(offset =>
        {
            var leases = new ConnectionLeases(options.LeaseDuration);
            var activeAt = s_start.AddSeconds(offset - heartbeat);
            return Enumerable.Range(0, 2 * heartbeat * renewal).Any(second =>
            {
                var now = s_start.AddSeconds(second);
                if (second % heartbeat == offset) activeAt = now;
                if (second % renewal == 0) leases.Renew(Lease(now, activeAt), now);
                return DeviceStatus.Merge(leases.Shown, now, awayAfter).Status == PresenceStatus.Away;
            });
        });
    }

    private static ConnectionLease Lease(DateTimeOffset seenAt, DateTimeOffset activeAt) => new()
    {
        ConnectionId = "a",
        FrontEndId = "front end",
        SeenAt = seenAt,
        Status = PresenceStatus.Online,
        StatusSetAt = s_start,
        ConnectedAt = s_start,
        ActiveAt = activeAt,
    };

    private static string?[] Validate(PresenceOptions options)
    {
        var faults = new List<ValidationResult>();
        Validator.TryValidateObject(options, new ValidationContext(options), faults, validateAllProperties: true);
        return [.. faults.Select(fault => fault.ErrorMessage)];
    }
}
