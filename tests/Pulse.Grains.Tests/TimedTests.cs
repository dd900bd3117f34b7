using Xunit;

namespace Pulse.Grains.Tests;

/// <summary>
/// Tests that measure how soon an answer comes. They run one by one, after the others, because other load would falsify their times.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class TimedTests
{
    public const string Name = "Timed";
}
