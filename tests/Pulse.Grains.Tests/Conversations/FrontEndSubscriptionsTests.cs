using System.Diagnostics.Metrics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Pulse.Conversations;
using Pulse.Grains.Conversations;
using Xunit;

namespace Pulse.Grains.Tests.Conversations;

public sealed class FrontEndSubscriptionsTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public void Dispose() => _services.Dispose();

    [Fact]
    public async Task CallThatEndsLate_LeavesTheLaterSubscriptionOfItsFrontEndInForce()
    {
        var subscriptions = new FrontEndSubscriptions(Guid.NewGuid(), null!, new(_services.GetRequiredService<IMeterFactory>()), _time);
        var state = new ConversationState(new(1, 1), new("group", "Plans", "all", null, _time.GetUtcNow(), IsBlocked: false, []), recentEntries: 10);
        var frontEnd = new SilentOnce();
        await subscriptions.RenewAsync(frontEnd, 1, state);
        Commit(2);
        await Eventually.AsyncEqual(1, () => Task.FromResult(frontEnd.Calls));

        // The front end closes the conversation and opens it again, while the first call has no answer.
        subscriptions.Remove(frontEnd);
        await subscriptions.RenewAsync(frontEnd, 2, state);
        _time.Advance(TimeSpan.FromSeconds(10));

        // The end of the first call is noticed at some time after that.
        for (var seq = 3; seq <= 20; seq++)
        {
            Commit(seq);
            await Eventually.AsyncEqual(seq, () => Task.FromResult(frontEnd.Head));
        }

        void Commit(long seq)
        {
            state.Apply(new(new() { Seq = seq, Kind = EntryKinds.Message, Body = "text", SentAt = _time.GetUtcNow() }));
            subscriptions.Publish(state);
        }
    }

    private sealed class SilentOnce : IConversationObserver
    {
        private int _calls;
        private long _head;

        public int Calls => Volatile.Read(ref _calls);

        public long Head => Volatile.Read(ref _head);

        public Task TakeAsync(ConversationRun run)
        {
            if (Interlocked.Increment(ref _calls) == 1) return new TaskCompletionSource().Task;
            Volatile.Write(ref _head, run.Head);
            return Task.CompletedTask;
        }
    }
}
