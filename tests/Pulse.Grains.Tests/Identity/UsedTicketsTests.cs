using Microsoft.Extensions.Time.Testing;
using Pulse.Grains.Identity;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

public sealed class UsedTicketsTests
{
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    [Fact]
    public void Ticket_IsUsedOnce_AndRememberedUntilItExpires()
    {
        var tickets = new UsedTickets(_time);
        var (id, expiresAt) = (Guid.NewGuid(), _time.GetUtcNow().AddSeconds(60));
        Assert.True(tickets.IsEmpty);

        Assert.True(tickets.TryUse(id, expiresAt));
        Assert.True(tickets.TryUse(Guid.NewGuid(), expiresAt));
        _time.Advance(TimeSpan.FromSeconds(59));

        Assert.False(tickets.TryUse(id, expiresAt));
        Assert.False(tickets.IsEmpty);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(tickets.TryUse(id, expiresAt));
        Assert.True(tickets.IsEmpty);
    }

    [Fact]
    public void Flood_OfTickets_IsRefused_UntilEarlierOnesExpire()
    {
        var tickets = new UsedTickets(_time);
        for (var i = 0; i < UsedTickets.AtMost; i++) Assert.True(tickets.TryUse(Guid.NewGuid(), _time.GetUtcNow().AddSeconds(30 + (i % 2 * 30))));
        Assert.False(tickets.TryUse(Guid.NewGuid(), _time.GetUtcNow().AddSeconds(60)));

        _time.Advance(TimeSpan.FromSeconds(30));

        for (var i = 0; i < UsedTickets.AtMost / 2; i++) Assert.True(tickets.TryUse(Guid.NewGuid(), _time.GetUtcNow().AddSeconds(60)));
        Assert.False(tickets.TryUse(Guid.NewGuid(), _time.GetUtcNow().AddSeconds(60)));
    }
}
