using System.Diagnostics;
using System.Net;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Pulse.Conversations;
using Pulse.Grains.Tests;
using Pulse.Users;
using Pulse.Web.Tests.Http;

namespace Pulse.Web.Tests.Conversations;

/// <summary>Calls of the chat while grains that they need do not answer, as those of a silo that has just died.</summary>
public sealed class ChatDeadlineTests(ChatDeadlineTests.Stuck pulse) : IClassFixture<ChatDeadlineTests.Stuck>
{
    // 5 s, and a second for the machine.
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(6);

    [Theory]
    [InlineData(typeof(IUserGrain), "unavailable", "unavailable")]
    [InlineData(typeof(IConversationGrain), "unknown-outcome", null)]
    [InlineData(typeof(IConversationReaderGrain), null, "unavailable")]
    public Task Requests_AreAnsweredWithin5Seconds_WhicheverGrainIsSilent(Type grain, string? sends, string? reads) => Runs.OneOfThreePassesAsync(async () =>
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        var group = await ada.CreateAsync("group");
        await using var socket = await ada.ConnectAsync();
        await socket.OpenAsync(group);
        using var silence = pulse.Silence(grain);

        var message = new { clientId = Guid.NewGuid(), text = "hello" };
        var sending = TimedAsync(() => ada.CallAsync(HttpMethod.Post, $"/conversations/{group}/messages", message));
        var editing = TimedAsync(() => ada.CallAsync(HttpMethod.Patch, $"/conversations/{group}/messages/2", new { text = "hello" }));
        var reading = TimedAsync(() => ada.CallAsync(HttpMethod.Get, $"/conversations/{group}/messages"));
        var listing = TimedAsync(() => ada.CallAsync(HttpMethod.Get, "/conversations"));

        // Its calls wait for one another, so the bound is that of each.
        foreach (var (method, arguments) in new (string, object[])[]
        {
            ("Typing", [group]), ("MarkRead", [group, 1]), ("SendMessage", [group, message]), ("OpenConversation", [group, 1]), ("SyncConversations", [new[] { new { id = group, seq = 0, read = 0 } }]),
        })
        {
            var started = Stopwatch.GetTimestamp();
            try
            {
                await socket.DoAsync(method, arguments);
            }
            catch (HubException refused)
            {
                Assert.Matches("^(unavailable|unknown-outcome): .{10}", refused.Message);
            }

            Assert.True(Stopwatch.GetElapsedTime(started) < s_limit, $"{method} took {Stopwatch.GetElapsedTime(started)}.");
        }

        await ExpectAsync(sending, sends);
        if (sends is not null) await ExpectAsync(editing, sends);
        await ExpectAsync(reading, reads);
        await ExpectAsync(listing, reads);
    });

    private static async Task ExpectAsync(Task<(HttpResponseMessage Answer, TimeSpan Time)> call, string? refusal)
    {
        var (answer, time) = await call;
        using (answer)
        {
            Assert.True(time < s_limit, $"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri} took {time}.");
            if (refusal is null)
            {
                Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}");
                return;
            }

            await answer.ReadProblemAsync(HttpStatusCode.ServiceUnavailable, refusal);
            Assert.True(answer.Headers.RetryAfter?.Delta > TimeSpan.Zero);
            Assert.True(answer.Headers.Contains("X-Content-Type-Options"), "The answer lacks the headers that every answer has.");
        }
    }

    private static async Task<(HttpResponseMessage Answer, TimeSpan Time)> TimedAsync(Func<Task<HttpResponseMessage>> call)
    {
        var started = Stopwatch.GetTimestamp();
        return (await call(), Stopwatch.GetElapsedTime(started));
    }

    /// <summary>An application in which the grains of one kind can be made to answer nothing.</summary>
    public sealed class Stuck : PulseApplication
    {
        private readonly Filter _filter = new();

        internal IDisposable Silence(Type grain) => _filter.Silence(grain);

        private protected override void Adjust(IServiceCollection services) => services.AddSingleton<IIncomingGrainCallFilter>(_filter);

        private sealed class Filter : IIncomingGrainCallFilter
        {
            private volatile TaskCompletionSource? _until;
            private volatile Type? _grain;

            public async Task Invoke(IIncomingGrainCallContext context)
            {
                if (_until is { } until && _grain!.IsInstanceOfType(context.Grain)) await until.Task;
                await context.Invoke();
            }

            public IDisposable Silence(Type grain)
            {
                (_grain, _until) = (grain, new(TaskCreationOptions.RunContinuationsAsynchronously));
                return new End(this);
            }

            private sealed class End(Filter filter) : IDisposable
            {
                public void Dispose()
                {
                    var until = filter._until!;
                    filter._until = null;
                    until.SetResult();
                }
            }
        }
    }
}
