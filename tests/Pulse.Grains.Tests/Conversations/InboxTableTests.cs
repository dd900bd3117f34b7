using Microsoft.Extensions.Time.Testing;
using Pulse.Conversations;
using Pulse.Grains.Conversations;
using Xunit;

namespace Pulse.Grains.Tests.Conversations;

public sealed class InboxTableTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task FrontEndThatIsSilentForAWhile_GetsEveryChangeAtItsNextRegistration()
    {
        var table = new InboxTable(_time);
        var frontEnd = new FrontEnd();
        table.Register(frontEnd);
        frontEnd.IsSilent = true;
        var user = Guid.NewGuid();
        Guid[] conversations = [.. Enumerable.Range(0, 5).Select(_ => Guid.NewGuid())];

        // The first is in the call that is never answered, the second waits for it, the others come after the call has timed out.
        table.Publish(conversations[0], head: 7, [user], []);
        await StepUntilAsync(() => frontEnd.Calls == 1);
        table.Publish(conversations[1], head: 0, [], [user]);
        for (var seconds = 0; seconds < 10; seconds++) _time.Advance(TimeSpan.FromSeconds(1));
        foreach (var id in conversations[2..]) table.Publish(id, head: 9, [user], []);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(1, frontEnd.Calls);

        // A front end registers again and again.
        frontEnd.IsSilent = false;
        await StepUntilAsync(() =>
        {
            table.Register(frontEnd);
            return conversations.All(frontEnd.Taken.ContainsKey);
        });
        Assert.Equal((7L, user), (frontEnd.Taken[conversations[0]].Head, Assert.Single(frontEnd.Taken[conversations[0]].Recipients)));
        Assert.Equal(user, Assert.Single(frontEnd.Taken[conversations[1]].Own));
    }

    [Fact]
    public async Task FrontEndThatIsSilentForGood_IsForgotten_WithItsChanges()
    {
        var table = new InboxTable(_time);
        var frontEnd = new FrontEnd { IsSilent = true };
        table.Register(frontEnd);
        table.Publish(Guid.NewGuid(), head: 7, [Guid.NewGuid()], []);
        await StepUntilAsync(() => frontEnd.Calls == 1);
        for (var seconds = 0; seconds < 40; seconds++) _time.Advance(TimeSpan.FromSeconds(1));
        table.Publish(Guid.NewGuid(), head: 7, [Guid.NewGuid()], []);
        await StepUntilAsync(() => table.Count == 0);

        frontEnd.IsSilent = false;
        table.Register(frontEnd);
        table.Publish(Guid.NewGuid(), head: 7, [Guid.NewGuid()], []);
        await StepUntilAsync(() => frontEnd.Calls == 2);
        Assert.Single(frontEnd.Taken);
    }

    private Task StepUntilAsync(Func<bool> holds) => Eventually.AsyncEqual(true, () =>
    {
        _time.Advance(TimeSpan.FromMilliseconds(20));
        return Task.FromResult(holds());
    });

    private sealed class FrontEnd : IInboxObserver
    {
        private int _calls;

        public volatile bool IsSilent;

        public int Calls => Volatile.Read(ref _calls);

        public System.Collections.Concurrent.ConcurrentDictionary<Guid, InboxHint> Taken { get; } = new();

        public Task TakeAsync(InboxHint[] hints)
        {
            Interlocked.Increment(ref _calls);
            if (IsSilent) return new TaskCompletionSource().Task;
            foreach (var hint in hints) Taken[hint.ConversationId] = hint;
            return Task.CompletedTask;
        }
    }
}
