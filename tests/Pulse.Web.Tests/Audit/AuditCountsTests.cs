using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Audit;

public sealed class AuditCountsTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<(AuditLine Line, int Count)> _written = [];
    private readonly AuditCounts _counts;

    public AuditCountsTests() => _counts = new(_time, (line, count) => _written.Add((line, count)));

    public void Dispose() => _counts.Dispose();

    [Fact]
    public void Flood_IsItsFirstLine_AndOneWithTheCountOfTheOthers()
    {
        var first = Enumerable.Range(0, 200).Count(_ => _counts.IsFirst(Line("192.0.2.1")));
        Assert.Equal(1, first);
        Assert.Empty(_written);

        _time.Advance(AuditCounts.Interval);
        Assert.Equal([(Line("192.0.2.1"), 199)], _written);

        Assert.True(_counts.IsFirst(Line("192.0.2.1")));
        _time.Advance(AuditCounts.Interval);
        Assert.Single(_written);
    }

    [Fact]
    public void Flood_FromManyAddresses_IsABoundedNumberOfLines()
    {
        var first = Enumerable.Range(0, 50_000).Count(i => _counts.IsFirst(Line($"client {i}")));
        Assert.Equal(AuditCounts.MaxKinds, first);

        _time.Advance(AuditCounts.Interval);
        Assert.Equal([(Line(client: null), 50_000 - AuditCounts.MaxKinds)], _written);
    }

    [Fact]
    public void Dispose_WritesTheCounts()
    {
        for (var i = 0; i < 3; i++) _counts.IsFirst(Line("192.0.2.1"));
        _counts.Dispose();
        Assert.Equal([(Line("192.0.2.1"), 2)], _written);
    }

    [Fact]
    public void MailboxHash_IsTheSameForOneKey_AndAnotherForAnother()
    {
        Assert.Equal(Hash(TestTokens.Key, "ada@example.com"), Hash(TestTokens.Key, "ada@example.com"));
        Assert.NotEqual(Hash(TestTokens.Key, "ada@example.com"), Hash(TestTokens.OtherKey, "ada@example.com"));
        Assert.NotEqual(Hash(TestTokens.Key, "ada@example.com"), Hash(TestTokens.Key, "bob@example.com"));

        static string Hash(string key, string email) => new MailboxHash(Options.Create(new AuthOptions { SigningKey = key })).Of(email);
    }

    private static AuditLine Line(string? client) => new(AuditEvents.TokenRefused, null, null, client, null, null, "signature");
}
