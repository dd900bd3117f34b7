using Orleans.Runtime;
using Orleans.Runtime.Messaging;
using Polly;
using Polly.Retry;

namespace Pulse.Web.Silos;

/// <summary>
/// Repeats a front end's grain call that all silos rejected, because a stopping silo hands its grains over within moments. A rejected call
/// was not executed, or may be executed twice, which is safe for every grain method of Pulse.
/// </summary>
internal sealed class GrainCallRetry : IOutgoingGrainCallFilter
{
    // 50, 100, 200, 400, 800, 1,600 ms, about 3 s in total: long enough for a stopping silo, too short to accumulate requests for a dead
    // one.
    private static readonly ResiliencePipeline s_pipeline = new ResiliencePipelineBuilder().AddRetry(new RetryStrategyOptions
    {
        ShouldHandle = new PredicateBuilder().Handle<OrleansMessageRejectionException>().Handle<ConnectionFailedException>(),
        BackoffType = DelayBackoffType.Exponential,
        UseJitter = true,
        Delay = TimeSpan.FromMilliseconds(50),
        MaxRetryAttempts = 6,
    }).Build();

    // Calls of grains are excluded, because the retry would block their turns.
    public Task Invoke(IOutgoingGrainCallContext context) => context.SourceContext is null ? InvokeAsync(context) : context.Invoke();

    private static async Task InvokeAsync(IOutgoingGrainCallContext context)
    {
        try
        {
            await context.Invoke();

            // A rejection is an ordinary response until its result is read.
            if (!IsRejection(context.Response?.Exception)) return;
        }
        catch (Exception e) when (IsRejection(e))
        {
            // Thrown if the call could not be sent to any silo.
        }

        // The pipeline runs only after a rejection, so that the first attempt is free of its cost.
        await s_pipeline.ExecuteAsync(static (call, _) => TryAgainAsync(call), context);
    }

    private static async ValueTask TryAgainAsync(IOutgoingGrainCallContext call)
    {
        await call.Invoke();
        if (IsRejection(call.Response?.Exception)) _ = call.Result;
    }

    private static bool IsRejection(Exception? exception) => exception is OrleansMessageRejectionException or ConnectionFailedException;
}
