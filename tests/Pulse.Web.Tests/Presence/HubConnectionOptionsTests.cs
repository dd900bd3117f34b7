using System.ComponentModel.DataAnnotations;
using Pulse.Web.Connections;

namespace Pulse.Web.Tests.Presence;

/// <summary>The settings that a front end validates by itself, because its silos may be in other processes.</summary>
public sealed class HubConnectionOptionsTests
{
    [Theory]
    [InlineData("00:00:00", "00:00:30", "Pulse:Presence:TimeToLive")]
    [InlineData("2.00:00:00", "00:00:30", "Pulse:Presence:TimeToLive")]
    [InlineData("00:01:00", "00:00:00", "Pulse:Presence:HeartbeatInterval")]
    [InlineData("00:01:00", "30.00:00:00", "Pulse:Presence:HeartbeatInterval")]
    public void FaultyTime_IsOneFault_ThatNamesTheSetting(string timeToLive, string heartbeatInterval, string setting)
    {
        var options = new HubConnectionOptions { TimeToLive = TimeSpan.Parse(timeToLive, null), HeartbeatInterval = TimeSpan.Parse(heartbeatInterval, null) };
        var faults = new List<ValidationResult>();

        Validator.TryValidateObject(options, new ValidationContext(options), faults, validateAllProperties: true);

        Assert.StartsWith($"{setting} is ", Assert.Single(faults).ErrorMessage, StringComparison.Ordinal);
    }
}
