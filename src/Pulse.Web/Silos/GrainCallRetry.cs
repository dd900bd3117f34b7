using Orleans.Runtime;
using Orleans.Runtime.Messaging;
using Polly;
using Polly.Retry;

namespace Pulse.Web.Silos;

/// <summary>
/// Repeats a front end's grain call that no silo took: one that is leaving hands its grains over within moments. What was rejected has not been
/// executed or may be executed twice; every grain method of Pulse may be.
/// </summary>
internal sealed class GrainCallRetry : IOutgoingGrainCallFilter
{
    // 50, 100, 200, 400, 800, 1,600 ms, about 3 s in all: long enough for a silo that leaves, too short to pile up requests behind one that died.
    private static readonly ResiliencePipeline s_pipeline = new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
    {
        ShouldHandle = new PredicateBuilder().Handle<OrleansMessageRejectionException>().Handle<ConnectionFailedException>(),
        BackoffType = DelayBackoffType.Exponential,
        UseJitter = true,
        Delay = TimeSpan.FromMilliseconds(50),
        MaxRetryAttempts = 6,
    }).Build();

    // A grain must not hold up its own turns.
    public Task Invoke(IOutgoingGrainCallContext context) => context.SourceContext is null ? InvokeAsync(context) : context.Invoke();

    private static async Task InvokeAsync(IOutgoingGrainCallContext context)
    {
        try
        {
            await context.Invoke();

            // A rejection is an answer as others are, until somebody asks for its result.
            if (!IsRejection(context.Response?.Exception)) return;
        }
        catch (Exception e) when (IsRejection(e))
        {
            // Thrown where no silo could be sent it.
        }

        // Seldom: the first try pays for no pipeline.
        await s_pipeline.ExecuteAsync(static (call, _) => TryAgainAsync(call), context);
    }

    private static async ValueTask TryAgainAsync(IOutgoingGrainCallContext call)
    {
        await call.Invoke();
        if (IsRejection(call.Response?.Exception)) _ = call.Result;
    }

    private static bool IsRejection(Exception? exception) => exception is OrleansMessageRejectionException or ConnectionFailedException;
}
