using System.Collections.Concurrent;
using System.Reflection;
using Pulse.Conversations;
using Pulse.Grains.Conversations;
using Pulse.Grains.Storage;

namespace Pulse.Web.Tests.Conversations.Scripts;

/// <summary>What goes wrong between silos, their database and the front ends.</summary>
internal sealed class ChatFaults(TimeProvider clock)
{
    private const double CallFaults = 0.01;

    // Shorter than the intervals over which the clock jumps.
    private const int LongestDelayMs = 400;

    private readonly ConcurrentQueue<StoreFate> _storeFates = new();
    private readonly ConcurrentQueue<CallFate> _callFates = new();
    private readonly ConcurrentDictionary<string, TaskCompletionSource> _frozen = new();
    private readonly ConcurrentDictionary<Task, bool> _late = new();
    private readonly Lock _lock = new();
    private Random _random = new(0);
    private bool _isOn;

    public enum StoreFate
    {
        /// <summary>The statement has no effect, and the silo gets no answer.</summary>
        NoEffect,

        /// <summary>The statement has its effect, and the silo gets no answer.</summary>
        NoAnswer,

        /// <summary>The silo gets no answer, and the statement has its effect later.</summary>
        LateEffect,
    }

    public enum CallFate
    {
        Lost,
        AnswerLost,
        Late,
        Twice,
    }

    public void Begin(int seed)
    {
        lock (_lock) (_random, _isOn) = (new(seed), true);
    }

    public void Disturb(StoreFate fate) => _storeFates.Enqueue(fate);

    public void Disturb(CallFate fate) => _callFates.Enqueue(fate);

    public void Freeze(string silo) => _frozen.TryAdd(silo, new(TaskCreationOptions.RunContinuationsAsynchronously));

    public void Thaw()
    {
        foreach (var silo in _frozen.Keys) if (_frozen.TryRemove(silo, out var gate)) gate.SetResult();
    }

    /// <summary>Everything works again, and what was late has happened.</summary>
    public async Task EndAsync()
    {
        lock (_lock) _isOn = false;
        _storeFates.Clear();
        _callFates.Clear();
        Thaw();
        await Task.WhenAll(_late.Keys);
        _late.Clear();
    }

    /// <summary>Waits while a silo is frozen.</summary>
    public Task PassAsync(string silo) => _frozen.TryGetValue(silo, out var gate) ? gate.Task : Task.CompletedTask;

    /// <summary>Runs a statement that changes the database.</summary>
    public async Task<T> WriteAsync<T>(Func<Task<T>> write)
    {
        if (!_storeFates.TryDequeue(out var fate)) return await write();
        if (fate == StoreFate.NoAnswer) await write();
        if (fate == StoreFate.LateEffect) _late.TryAdd(LaterAsync(write), true);
        throw new StoreUnavailableException($"the test: {fate}");
    }

    /// <summary>Makes a call to a front end.</summary>
    public async Task CallAsync(Func<Task> call, Func<Task> again)
    {
        var fate = Next();
        if (fate == CallFate.Lost) throw new TimeoutException("the test lost a call");
        if (fate == CallFate.Late) await DelayAsync();
        await call();
        if (fate == CallFate.AnswerLost) throw new TimeoutException("the test lost an answer");
        if (fate == CallFate.Twice) _late.TryAdd(LaterAsync(again), true);
    }

    private CallFate? Next()
    {
        if (_callFates.TryDequeue(out var fate)) return fate;
        lock (_lock) return _isOn && _random.NextDouble() < CallFaults ? (CallFate)_random.Next(4) : null;
    }

    private async Task LaterAsync(Func<Task> effect)
    {
        await DelayAsync();
        try
        {
            await effect();
        }
        catch (Exception)
        {
            // A late statement may be refused as any other, and the front end may be gone. Nobody waits for the answer.
        }
    }

    private Task DelayAsync()
    {
        int delay;
        lock (_lock) delay = _random.Next(LongestDelayMs);
        return Task.Delay(TimeSpan.FromMilliseconds(delay), clock);
    }
}

/// <summary>Calls from a silo to front ends, and calls to a silo's conversations.</summary>
internal sealed class FaultyCallFilter(ChatFaults faults, string silo) : IOutgoingGrainCallFilter, IIncomingGrainCallFilter
{
    public async Task Invoke(IOutgoingGrainCallContext context)
    {
        var isForFrontEnds = context.Grain is IConversationObserver or IInboxObserver;
        if (!isForFrontEnds)
        {
            await context.Invoke();
            return;
        }

        await faults.PassAsync(silo);
        var (grain, argument) = (context.Grain, context.Request.GetArgument(0));
        await faults.CallAsync(context.Invoke, () => grain is IConversationObserver observer
            ? observer.TakeAsync((ConversationRun)argument!)
            : ((IInboxObserver)grain).TakeAsync((InboxHint[])argument!));
    }

    public async Task Invoke(IIncomingGrainCallContext context)
    {
        if (context.Grain is IConversationGrain or IConversationReaderGrain) await faults.PassAsync(silo);
        await context.Invoke();
    }
}

/// <summary>The real store of a silo, behind the faults.</summary>
public class FaultyConversationStore : DispatchProxy
{
    private IConversationStore _inner = null!;
    private ChatFaults _faults = null!;
    private string _silo = "";

    internal static IConversationStore Around(IConversationStore inner, ChatFaults faults, string silo)
    {
        var proxy = Create<IConversationStore, FaultyConversationStore>();
        var store = (FaultyConversationStore)(object)proxy;
        (store._inner, store._faults, store._silo) = (inner, faults, silo);
        return proxy;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name switch
    {
        nameof(IConversationStore.AppendAsync) => WriteAsync(() => _inner.AppendAsync((LogRun[])args![0]!, (BatchLimits)args[1]!)),
        nameof(IConversationStore.ClaimAsync) => WriteAsync(() => _inner.ClaimAsync((Claim[])args![0]!, (BatchLimits)args[1]!)),
        nameof(IConversationStore.MarkReadAsync) => WriteAsync(() => _inner.MarkReadAsync((ReadMark[])args![0]!, (BatchLimits)args[1]!)),
        _ => targetMethod.Invoke(_inner, args),
    };

    private async Task<T> WriteAsync<T>(Func<Task<T>> write)
    {
        await _faults.PassAsync(_silo);
        return await _faults.WriteAsync(write);
    }
}
