using Microsoft.Extensions.Time.Testing;
using Pulse.Web.Auth;
using Pulse.Web.Tokens;

namespace Pulse.Web.Tests.Auth;

public sealed class RecentSignInTests
{
    [Theory]
    [InlineData(0, true)]
    [InlineData(600, true)]
    [InlineData(601, false)]
    // Another front end's clock.
    [InlineData(-30, true)]
    [InlineData(-300, false)]
    [InlineData(-3600, false)]
    public void IsRecent_OfASignInWithinTenMinutes_AndNotOfOneInTheFuture(int secondsAgo, bool expected)
    {
        var time = new FakeTimeProvider(new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero));
        var caller = new Caller { Issuer = "pulse", Subject = "ada", ExpiresAt = time.GetUtcNow(), SignedInAt = time.GetUtcNow().AddSeconds(-secondsAgo) };

        Assert.Equal(expected, new RecentSignIn(time).IsRecent(caller));
    }
}
