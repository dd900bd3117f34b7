using System.Threading.Channels;
using Pulse.Grains.Storage;
using Xunit;

namespace Pulse.Grains.Tests.Storage;

/// <summary>Which items are committed together, by a database that answers when it is told to.</summary>
public sealed class GroupCommitTests
{
    private const int Most = 4;

    private readonly Channel<(int[] Items, TaskCompletionSource<string[]> Answer)> _groups =
        Channel.CreateUnbounded<(int[], TaskCompletionSource<string[]>)>();

    private readonly GroupCommit<int, string> _commit;

    public GroupCommitTests() => _commit = new(
        items =>
        {
            var answer = new TaskCompletionSource<string[]>();
            _groups.Writer.TryWrite((items, answer));
            return answer.Task;
        },
        Most);

    [Fact]
    public async Task First_IsCommittedAtOnce_WhatComesMeanwhileTogether()
    {
        var first = _commit.AddAsync(1);
        await AnswerAsync(1);

        // Until its group is through, the others wait.
        var held = _commit.AddAsync(2);
        var (items, answer) = await _groups.Reader.ReadAsync();
        Assert.Equal([2], items);
        Task<string>[] others = [_commit.AddAsync(3), _commit.AddAsync(4)];
        answer.SetResult(["2"]);
        await AnswerAsync(3, 4);

        Assert.Equal(["1", "2", "3", "4"], await Task.WhenAll([first, held, .. others]));
    }

    [Fact]
    public async Task MoreThanAGroup_GoesIntoTheNext()
    {
        _ = _commit.AddAsync(0);
        var (_, answer) = await _groups.Reader.ReadAsync();
        var all = Enumerable.Range(1, Most + 1).Select(_commit.AddAsync).ToArray();
        answer.SetResult(["0"]);

        await AnswerAsync(1, 2, 3, 4);
        await AnswerAsync(5);
        Assert.Equal(["1", "2", "3", "4", "5"], await Task.WhenAll(all));
    }

    [Fact]
    public async Task RefusedItem_FailsAlone()
    {
        _ = _commit.AddAsync(0);
        var (_, answer) = await _groups.Reader.ReadAsync();
        var all = Enumerable.Range(1, Most).Select(_commit.AddAsync).ToArray();
        answer.SetResult(["0"]);

        await RefuseAsync(1, 2, 3, 4);
        await AnswerAsync(1, 2);
        await RefuseAsync(3, 4);
        await RefuseAsync(3);
        await AnswerAsync(4);

        Assert.Equal(["1", "2", "4"], await Task.WhenAll(all[0], all[1], all[3]));
        await Assert.ThrowsAsync<InvalidOperationException>(() => all[2]);
    }

    [Fact]
    public async Task DatabaseAway_FailsTheGroup_AndTheNextIsTried()
    {
        _ = _commit.AddAsync(0);
        var (_, answer) = await _groups.Reader.ReadAsync();
        Task<string>[] group = [_commit.AddAsync(1), _commit.AddAsync(2)];
        answer.SetResult(["0"]);
        (await _groups.Reader.ReadAsync()).Answer.SetException(new StoreUnavailableException("away"));

        await Assert.ThrowsAsync<StoreUnavailableException>(() => group[0]);
        await Assert.ThrowsAsync<StoreUnavailableException>(() => group[1]);
        var next = _commit.AddAsync(3);
        await AnswerAsync(3);
        Assert.Equal("3", await next);
    }

    private async Task RefuseAsync(params int[] expected)
    {
        var (items, answer) = await _groups.Reader.ReadAsync();
        Assert.Equal(expected, items);
        answer.SetException(new InvalidOperationException("One of them is refused."));
    }

    private async Task AnswerAsync(params int[] expected)
    {
        var (items, answer) = await _groups.Reader.ReadAsync();
        Assert.Equal(expected, items);
        answer.SetResult(Array.ConvertAll(items, item => $"{item}"));
    }
}
