using Microsoft.Extensions.Time.Testing;
using Pulse.Grains.Presence;
using Xunit;

namespace Pulse.Grains.Tests.Presence;

public sealed class IndexCompletenessTests
{
    private static readonly TimeSpan s_settling = TimeSpan.FromSeconds(20);

    private readonly FakeTimeProvider _time = new();
    private readonly IndexCompleteness _completeness;

    public IndexCompletenessTests() => _completeness = new(s_settling, _time);

    [Fact]
    public void SameMarker_CountsAfterTheSettlingTime()
    {
        Assert.False(_completeness.Observe("a"));
        _time.Advance(s_settling - TimeSpan.FromMilliseconds(1));
        Assert.False(_completeness.Observe("a"));
        _time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.True(_completeness.Observe("a"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("b")]
    public void LostOrReplacedMarker_StartsTheSettlingTimeAnew(string? marker)
    {
        _completeness.Observe("a");
        _time.Advance(s_settling);
        Assert.True(_completeness.Observe("a"));

        Assert.False(_completeness.Observe(marker));
        Assert.False(_completeness.Observe("b"));
        _time.Advance(s_settling);
        Assert.True(_completeness.Observe("b"));
    }

    [Fact]
    public void BrokenConnection_StartsTheSettlingTimeAnew()
    {
        _completeness.Observe("a");
        _time.Advance(s_settling);

        _completeness.Reset();

        Assert.False(_completeness.Observe("a"));
        _time.Advance(s_settling);
        Assert.True(_completeness.Observe("a"));
    }
}
