using System.Collections.Concurrent;
using System.Diagnostics;
using Pulse.Conversations;

namespace Pulse.Web.Tests.Conversations;

/// <summary>The trace of a message, as a collector gets it.</summary>
public sealed class ChatTraceTests(ChatTraceTests.Traced pulse) : IClassFixture<ChatTraceTests.Traced>
{
    private const string Text = "a text that no span may carry";

    /// <summary>An application that exports telemetry, to a port where nobody listens.</summary>
    public sealed class Traced() : PulseApplication([new("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")]);

    [Fact]
    public async Task OneTrace_LeadsFromTheSend_ToTheWriteToTheSockets_WithoutTheText()
    {
        using var ada = await ChatUser.SyncAsync(pulse, "Ada");
        using var bob = await ChatUser.SyncAsync(pulse, "Bob");
        var group = await ada.CreateAsync("group", bob);
        await using var adas = await ada.ConnectAsync();
        await using var bobs = await bob.ConnectAsync();
        await bobs.OpenAsync(group);

        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = _ => true,
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using (var send = new Activity("test").Start())
        {
            await bobs.UntilAsync(group, await adas.SendAsync(group, Text));
        }

        // The listener also hears of sends by tests that run at the same time.
        await Eventually.AsyncTrue(
            "one trace leads from a write over delivery and append to the send over the hub",
            () => Task.FromResult(spans.GroupBy(span => span.TraceId).Any(IsComplete)));
        Assert.All(spans, span => Assert.DoesNotContain(span.TagObjects, tag => tag.Value?.ToString()?.Contains(Text, StringComparison.Ordinal) ?? false));

        // Each span's parent is in the trace, up to the one of the hub's call. A parent may end after its children.
        static bool IsComplete(IEnumerable<Activity> trace)
        {
            var byId = trace.ToDictionary(span => span.SpanId);
            return byId.Values.Where(span => span.OperationName == ChatTracing.Write).Any(write =>
            {
                var above = new List<string>();
                for (var span = write; span is not null; span = byId.GetValueOrDefault(span.ParentSpanId)) above.Add(span.DisplayName);
                var (deliver, append) = (above.IndexOf(ChatTracing.Deliver), above.IndexOf(ChatTracing.Append));
                var send = above.FindIndex(name => name.Contains("SendMessage", StringComparison.Ordinal));
                return deliver > 0 && append > deliver && send > append;
            });
        }
    }
}
