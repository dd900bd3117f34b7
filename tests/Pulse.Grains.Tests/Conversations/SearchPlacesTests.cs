using Pulse.Grains.Conversations;
using Xunit;

namespace Pulse.Grains.Tests.Conversations;

public sealed class SearchPlacesTests
{
    private const int Places = 4;

    private readonly SearchPlaces _places = new(Places);
    private readonly TaskCompletionSource _answered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _running;
    private int _most;

    [Fact]
    public async Task Searches_OfManyUsers_HaveAsManyPlacesAsThereAre_AndTheOthersAreRefusedInTime()
    {
        var searches = Enumerable.Range(0, 40).Select(_ => SearchAsync(Guid.NewGuid())).ToArray();

        await Eventually.AsyncEqual(36, () => Task.FromResult(searches.Count(search => search.IsFaulted)));
        _answered.SetResult();

        Assert.Equal(36, (await Task.WhenAll(searches.Select(IsRefusedAsync))).Count(refused => refused));
        Assert.Equal(Places, _most);
        Assert.True(await SearchAsync(Guid.NewGuid()));
    }

    [Fact]
    public async Task Searches_OfOneUser_LeavePlacesToOthers()
    {
        var user = Guid.NewGuid();
        var own = Enumerable.Range(0, 20).Select(_ => SearchAsync(user)).ToArray();
        Assert.Equal(2, Volatile.Read(ref _running));

        var other = SearchAsync(Guid.NewGuid());

        Assert.Equal(3, Volatile.Read(ref _running));
        _answered.SetResult();
        Assert.True(await other);
        Assert.InRange((await Task.WhenAll(own.Select(IsRefusedAsync))).Count(refused => refused), 0, 18);
        Assert.InRange(_most, 3, Places);
    }

    private Task<bool> SearchAsync(Guid userId) => _places.RunAsync(
        userId,
        async _ =>
        {
            _most = Math.Max(_most, Interlocked.Increment(ref _running));
            await _answered.Task;
            Interlocked.Decrement(ref _running);
            return true;
        },
        CancellationToken.None);

    private static async Task<bool> IsRefusedAsync(Task<bool> search)
    {
        try
        {
            return !await search;
        }
        catch (StoreUnavailableException)
        {
            return true;
        }
    }
}
