using Xunit;
using Xunit.Abstractions;

namespace Pulse.Grains.Tests;

/// <summary>Starts the longest collections first. A long one that starts last would run while the other threads have no work.</summary>
/// <param name="longest">Names of collections, or of classes that are a collection of their own.</param>
internal abstract class LongestFirst(params string[] longest) : ITestCollectionOrderer
{
    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) => testCollections.OrderBy(Place);

    private int Place(ITestCollection collection)
    {
        var place = Array.FindIndex(longest, name => collection.DisplayName == name || collection.DisplayName.EndsWith($".{name}", StringComparison.Ordinal));
        return place < 0 ? int.MaxValue : place;
    }
}
