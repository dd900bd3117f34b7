using Pulse.Web.Connections;

namespace Pulse.Web.Tests.Presence;

public sealed class TokenExpiryTests
{
    private static readonly DateTimeOffset s_received = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(900, 840)]
    [InlineData(180, 120)]
    [InlineData(60, 40)]
    [InlineData(3, 2)]
    [InlineData(0, 0)]
    [InlineData(-5, -5)]
    public void WarnAt_IsAMinuteBeforeTheEnd_AndForShortTokensAtTwoThirdsOfTheirLife(int life, int expected) =>
        Assert.Equal(s_received.AddSeconds(expected), TokenExpiry.WarnAt(s_received.AddSeconds(life), s_received));
}
