using System.Diagnostics;

namespace Pulse.Grains.Storage;

/// <summary>Hands what many ask for at once to the database together: while one group is under way the next gathers, without a timer.</summary>
/// <param name="commit">Answers each item of a group, in that order; or throws for all of them.</param>
/// <param name="most">Items in a group.</param>
internal sealed class GroupCommit<TItem, TAnswer>(Func<TItem[], Task<TAnswer[]>> commit, int most)
{
    private readonly Lock _gate = new();
    private readonly Queue<Member> _waiting = [];
    private bool _isCommitting;

    private sealed record Member(TItem Item, TaskCompletionSource<TAnswer> Answer, Activity? Trace);

    /// <summary>Adds one item to the next group.</summary>
    /// <returns>Its answer, or why there is none. An item that the database refuses does not fail the others.</returns>
    public Task<TAnswer> AddAsync(TItem item)
    {
        // Continuations run elsewhere: the next group does not wait for what becomes of this one.
        var member = new Member(item, new(TaskCreationOptions.RunContinuationsAsynchronously), Activity.Current);
        lock (_gate)
        {
            _waiting.Enqueue(member);
            if (_isCommitting) return member.Answer.Task;
            _isCommitting = true;
        }

        // On the thread pool, and with nothing of who added this one: it may be a grain, whose turns are its own, and others' items follow.
        using (ExecutionContext.SuppressFlow()) _ = Task.Run(CommitAllAsync);
        return member.Answer.Task;
    }

    private async Task CommitAllAsync()
    {
        while (TakeGroup() is { Length: > 0 } group) await CommitAsync(group);
    }

    private Member[] TakeGroup()
    {
        lock (_gate)
        {
            var group = new Member[Math.Min(_waiting.Count, most)];
            for (var i = 0; i < group.Length; i++) group[i] = _waiting.Dequeue();
            _isCommitting = group.Length > 0;
            return group;
        }
    }

    private async Task CommitAsync(Member[] group)
    {
        // One statement has one parent: whoever waits longest.
        Activity.Current = group[0].Trace;
        try
        {
            var answers = await commit(Array.ConvertAll(group, member => member.Item));
            for (var i = 0; i < group.Length; i++) group[i].Answer.TrySetResult(answers[i]);
        }
        catch (Exception e) when (group.Length > 1 && e is not StoreUnavailableException)
        {
            var half = group.Length / 2;
            await CommitAsync(group[..half]);
            await CommitAsync(group[half..]);
        }
        catch (Exception e)
        {
            foreach (var member in group)
            {
                member.Answer.TrySetException(e);
                _ = member.Answer.Task.Exception; // Observed: a caller may have stopped waiting.
            }
        }
    }
}
