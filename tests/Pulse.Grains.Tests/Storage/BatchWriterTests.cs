using System.Diagnostics.Metrics;
using System.Threading.Channels;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Grains.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Storage;

/// <summary>Which items are committed together, with a database that answers when the test says so.</summary>
public sealed class BatchWriterTests : IDisposable
{
    private const int Most = 4;
    private const int QueueLimit = 10;

    private static readonly TimeSpan s_longPatience = TimeSpan.FromMinutes(1);

    private readonly Channel<Commit> _commits = Channel.CreateUnbounded<Commit>();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task FirstItem_IsCommittedAtOnce_LaterOnesTogether()
    {
        var writer = NewWriter();
        var first = writer.AddAsync(1);
        await AnswerAsync(1);

        // The other items wait until its batch is committed.
        var held = writer.AddAsync(2);
        var batch = await NextAsync(2);
        Task<string>[] others = [writer.AddAsync(3), writer.AddAsync(4)];
        batch.Succeed();
        await AnswerAsync(3, 4);

        Assert.Equal(["1", "2", "3", "4"], await Task.WhenAll([first, held, .. others]));
    }

    [Fact]
    public async Task MoreThanABatch_GoesIntoTheNext()
    {
        var writer = NewWriter();
        _ = writer.AddAsync(0);
        var batch = await NextAsync(0);
        var all = Enumerable.Range(1, Most + 1).Select(item => writer.AddAsync(item)).ToArray();
        batch.Succeed();

        await AnswerAsync(1, 2, 3, 4);
        await AnswerAsync(5);
        Assert.Equal(["1", "2", "3", "4", "5"], await Task.WhenAll(all));
    }

    [Fact]
    public async Task RefusedItem_FailsAlone()
    {
        var writer = NewWriter();
        var all = await AddTogetherAsync(writer, 1, 2, 3, 4);
        (await NextAsync(1, 2, 3, 4)).Refuse();
        await FollowSinglesAsync(refused: 3);

        Assert.Equal(["1", "2", "4"], await Task.WhenAll(all[0], all[1], all[3]));
        await Assert.ThrowsAsync<InvalidOperationException>(() => all[2]);
    }

    [Fact]
    public async Task BlockedItem_DelaysNeitherItsBatchNorTheNext()
    {
        var writer = NewWriter();
        var all = await AddTogetherAsync(writer, 1, 2, 3, 4);
        (await NextAsync(1, 2, 3, 4)).Block();
        Commit? first = null;
        for (var i = 0; i < Most; i++)
        {
            var commit = await _commits.Reader.ReadAsync().AsTask().WaitAsync(s_longPatience);
            if (commit.Items is [1]) first = commit;
            else commit.Succeed();
        }

        Assert.Equal(["2", "3", "4"], await Task.WhenAll(all[1..]));

        // Item 1 waits for its lock, beside the queue.
        first!.Block();
        var alone = await NextAsync(1);
        Assert.True(alone.Limits.Statement > BatchLimits.Shared.Statement);
        var next = writer.AddAsync(5);
        await AnswerAsync(5);
        Assert.Equal("5", await next);

        alone.Succeed();
        Assert.Equal("1", await all[0]);
    }

    [Fact]
    public async Task ItemWithTheKeyOfABlockedItem_IsCommittedAloneAfterIt()
    {
        var writer = NewWriter();
        var blocked = writer.AddAsync(1);
        (await NextAsync(1)).Block();
        var alone = await NextAsync(1);

        // The second has the same key, so only the third is committed.
        var second = writer.AddAsync(1 + KeyCount);
        var third = writer.AddAsync(3);
        await AnswerAsync(3);
        Assert.Equal("3", await third);

        alone.Succeed();
        await AnswerAsync(1 + KeyCount);
        Assert.Equal(["1", $"{1 + KeyCount}"], await Task.WhenAll(blocked, second));

        // The second write has succeeded, so its key is batched with others again.
        var together = await AddTogetherAsync(writer, 1, 2);
        await AnswerAsync(1, 2);
        await Task.WhenAll(together);
    }

    [Fact]
    public async Task UnavailableDatabase_FailsTheBatchAtOnce_AndTheNextIsTried()
    {
        var writer = NewWriter();
        var batch = await AddTogetherAsync(writer, 1, 2);
        (await NextAsync(1, 2)).Fail(new StoreUnavailableException("unavailable"));

        await Assert.ThrowsAsync<StoreUnavailableException>(() => batch[0]);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => batch[1]);
        var next = writer.AddAsync(3);
        await AnswerAsync(3);
        Assert.Equal("3", await next);
    }

    [Fact]
    public async Task ItemsOfCancelledCallers_AreNotWritten()
    {
        var writer = NewWriter();
        _ = writer.AddAsync(0);
        var batch = await NextAsync(0);
        using var leaves = new CancellationTokenSource();
        var left = writer.AddAsync(1, leaves.Token);
        var stays = writer.AddAsync(2);
        await leaves.CancelAsync();
        batch.Succeed();

        await AnswerAsync(2);
        Assert.Equal("2", await stays);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
    }

    [Fact]
    public async Task ItemsThatWaitedTooLong_AreRefused_AndNotWritten()
    {
        var writer = NewWriter(TimeSpan.FromSeconds(2));
        _ = writer.AddAsync(0);
        var batch = await NextAsync(0);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => writer.AddAsync(1));
        batch.Succeed();

        var next = writer.AddAsync(2);
        await AnswerAsync(2);
        Assert.Equal("2", await next);
    }

    [Fact]
    public async Task FullQueue_RefusesFurtherItemsAtOnce_UntilOneIsAnswered()
    {
        var writer = NewWriter();
        var first = writer.AddAsync(0);
        var batch = await NextAsync(0);
        for (var item = 1; item < QueueLimit; item++) _ = writer.AddAsync(item);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => writer.AddAsync(QueueLimit));

        batch.Succeed();
        await first;
        var later = writer.AddAsync(QueueLimit);
        await AnswerAsync(1, 2, 3, 4);
        await AnswerAsync(5, 6, 7, 8);
        await AnswerAsync(9, QueueLimit);
        Assert.Equal($"{QueueLimit}", await later);
    }

    private const int KeyCount = 100;

    private BatchWriter<int, string> NewWriter(TimeSpan? patience = null) => new(
        (items, limits) =>
        {
            var commit = new Commit(items, limits);
            _commits.Writer.TryWrite(commit);
            return commit.Answer;
        },
        item => item % KeyCount,
        new(Most, QueueLimit, patience ?? s_longPatience),
        new(_services.GetRequiredService<IMeterFactory>()));

    /// <summary>Adds items while another is committed, so that they form one batch.</summary>
    private async Task<Task<string>[]> AddTogetherAsync(BatchWriter<int, string> writer, params int[] items)
    {
        _ = writer.AddAsync(0);
        var batch = await NextAsync(0);
        var answers = items.Select(item => writer.AddAsync(item)).ToArray();
        batch.Succeed();
        return answers;
    }

    private async Task<Commit> NextAsync(params int[] expected)
    {
        var commit = await _commits.Reader.ReadAsync().AsTask().WaitAsync(s_longPatience);
        Assert.Equal(expected, commit.Items);
        return commit;
    }

    private async Task AnswerAsync(params int[] expected) => (await NextAsync(expected)).Succeed();

    /// <summary>Answers the four items of a batch one by one, in any order, but refuses one.</summary>
    private async Task FollowSinglesAsync(int refused)
    {
        for (var i = 0; i < Most; i++)
        {
            var commit = await _commits.Reader.ReadAsync().AsTask().WaitAsync(s_longPatience);
            Assert.Single(commit.Items);
            if (commit.Items[0] == refused) commit.Refuse();
            else commit.Succeed();
        }
    }

    private sealed class Commit(int[] items, BatchLimits limits)
    {
        private readonly TaskCompletionSource<string[]> _answer = new();

        public int[] Items => items;

        public BatchLimits Limits => limits;

        public Task<string[]> Answer => _answer.Task;

        public void Succeed() => _answer.SetResult(Array.ConvertAll(items, item => $"{item}"));

        public void Refuse() => Fail(new InvalidOperationException("One of the items is refused."));

        public void Block() => Fail(new BatchBlockedException("One of the items is locked."));

        public void Fail(Exception cause) => _answer.SetException(cause);
    }
}
