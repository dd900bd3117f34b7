using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Conversations;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Conversations;

/// <summary>Calls to the grain of a conversation that are lost, as by a silo that dies, or whose answer is late.</summary>
public sealed class ConversationFaultTests(ConversationFaultTests.Faulty pulse) : IClassFixture<ConversationFaultTests.Faulty>
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Block_WhoseCallToTheConversationIsLost_HoldsForTheNextMessage(bool isExecuted)
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        using var bob = await ChatUser.SyncAsync(pulse, "Bob");
        var direct = await ada.CreateAsync("direct", bob);
        await bob.SendAsync(direct, "hello");
        var lost = pulse.OnNext("Block", async call =>
        {
            if (isExecuted) await call.Invoke();
            throw new TimeoutException("The silo has died.");
        });

        using var answer = await ada.CallAsync(HttpMethod.Put, $"/users/{bob.Id}/block");

        await lost;
        var message = new { clientId = Guid.NewGuid(), text = "x" };
        await bob.RefusedAsync(HttpMethod.Post, $"/conversations/{direct}/messages", message, HttpStatusCode.Forbidden, "cannot-message");
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
    }

    [Fact]
    public async Task Role_OfAMemberWhoBlocksAndLeavesMeanwhile_AddsNobody()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        using var bob = await ChatUser.SyncAsync(pulse, "Bob");
        var group = await ada.CreateAsync("group", bob);
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var applied = pulse.OnNext(nameof(IConversationGrain.ApplyAsync), async call =>
        {
            arrived.SetResult();
            await left.Task;
            await call.Invoke();
        });

        var setting = ada.CallAsync(HttpMethod.Put, $"/conversations/{group}/members/{bob.Id}", new { role = "reader" });
        await arrived.Task;
        await bob.DoWithoutAnswerAsync(HttpMethod.Put, $"/users/{ada.Id}/block");
        await bob.RemoveAsync(group, bob);
        left.SetResult();
        await applied;

        using var answer = await setting;
        Assert.False(answer.IsSuccessStatusCode);
        Assert.Empty(await bob.InboxAsync());
    }

    [Fact]
    public async Task Open_WhoseAnswerIsOlderThanWhatTheFrontEndBeganWith_StillOpens()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        using var bob = await ChatUser.SyncAsync(pulse, "Bob");
        var group = await ada.CreateAsync("group", bob);
        await using var adas = await ada.ConnectAsync();
        await using var bobs = await bob.ConnectAsync();
        var late = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var answered = pulse.OnNext(nameof(IConversationGrain.OpenAsync), call => call.Invoke(), late.Task);

        var opening = bobs.OpenAsync(group, 1);
        await answered;
        var message = await ada.SendAsync(group, "hello");
        await adas.OpenAsync(group, message);
        late.SetResult();

        var opened = await opening;
        Assert.Equal(message, opened.GetProperty("head").GetInt64());
        Assert.Equal([message], opened.GetProperty("entries").EnumerateArray().Select(entry => entry.GetProperty("seq").GetInt64()));
        await bobs.UntilAsync(group, await ada.SendAsync(group, "again"));
    }

    /// <summary>An application in which one call to the grain of a conversation is handled otherwise.</summary>
    public sealed class Faulty : PulseApplication
    {
        private readonly Filter _filter = new();

        /// <summary>Handles the next call whose method has this in its name. The answer waits for <paramref name="until"/>.</summary>
        /// <returns>Completes once the call was handled.</returns>
        internal Task OnNext(string name, Func<IIncomingGrainCallContext, Task> handle, Task? until = null) =>
            _filter.OnNext(new(name, handle, until ?? Task.CompletedTask));

        private protected override void Adjust(IServiceCollection services) => services.AddSingleton<IIncomingGrainCallFilter>(_filter);

        private sealed record Fault(string Name, Func<IIncomingGrainCallContext, Task> Handle, Task Until)
        {
            public TaskCompletionSource Handled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        private sealed class Filter : IIncomingGrainCallFilter
        {
            private Fault? _next;

            public Task OnNext(Fault fault)
            {
                Volatile.Write(ref _next, fault);
                return fault.Handled.Task;
            }

            public async Task Invoke(IIncomingGrainCallContext context)
            {
                var fault = Volatile.Read(ref _next);
                var isMeant = fault is not null && context.Grain is IConversationGrain
                    && context.MethodName.Contains(fault.Name, StringComparison.Ordinal) && Interlocked.CompareExchange(ref _next, null, fault) == fault;
                if (!isMeant)
                {
                    await context.Invoke();
                    return;
                }

                try
                {
                    await fault!.Handle(context);
                }
                finally
                {
                    fault!.Handled.SetResult();
                }

                await fault.Until;
            }
        }
    }
}
