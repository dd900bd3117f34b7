using System.Reflection;
using Pulse.Grains.Conversations;
using Pulse.Grains.Storage;

namespace Pulse.Grains.Tests.Conversations;

/// <summary>A real store whose appends and claims fail as a network makes them fail: before, after or long after they took effect.</summary>
public class FaultyStore : DispatchProxy
{
    private IConversationStore _inner = null!;
    private Random _random = null!;
    private double _faults;
    private bool _refuses;
    private Func<string, Task> _before = static _ => Task.CompletedTask;
    private Action<string> _called = static _ => { };

    /// <summary>Appends whose statement was begun after its caller had been refused.</summary>
    private protected static readonly List<Task> Late = [];

    internal static IConversationStore Around(IConversationStore inner, int seed, double faults)
    {
        var proxy = Create<IConversationStore, FaultyStore>();
        var store = (FaultyStore)(object)proxy;
        (store._inner, store._random, store._faults) = (inner, new(seed), faults);
        return proxy;
    }

    /// <summary>A store that refuses each append for a reason that lasts, such as a row of another program.</summary>
    internal static IConversationStore Refusing(IConversationStore inner)
    {
        var store = Around(inner, seed: 0, faults: 0);
        ((FaultyStore)(object)store)._refuses = true;
        return store;
    }

    /// <summary>
    /// A store that runs this before blocks and claims, and before reads of rows, of messages by client id and of what clients missed, with
    /// the name of the method.
    /// </summary>
    /// <param name="inner">The real store.</param>
    /// <param name="before">What runs first.</param>
    /// <param name="called">Gets the name of each method that is called, also of those that do not read.</param>
    internal static IConversationStore Reading(IConversationStore inner, Func<string, Task> before, Action<string>? called = null)
    {
        var store = Around(inner, seed: 0, faults: 0);
        ((FaultyStore)(object)store)._before = before;
        if (called is not null) ((FaultyStore)(object)store)._called = called;
        return store;
    }

    /// <summary>Waits for the statements that took effect late.</summary>
    internal static async Task SettleAsync()
    {
        Task[] late;
        lock (Late) late = [.. Late];
        await Task.WhenAll(late);
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        _called(targetMethod!.Name);
        return Call(targetMethod, args);
    }

    private object? Call(MethodInfo targetMethod, object?[]? args) => targetMethod.Name switch
    {
        nameof(IConversationStore.AppendAsync) when _refuses => Task.FromException<AppendOutcome[]>(new InvalidOperationException("a row is in the way")),
        nameof(IConversationStore.AppendAsync) => RunAsync(() => _inner.AppendAsync((LogRun[])args![0]!, (BatchLimits)args[1]!)),
        nameof(IConversationStore.ClaimAsync) =>
            RunAsync(() => ReadAsync(targetMethod.Name, () => _inner.ClaimAsync((Claim[])args![0]!, (BatchLimits)args[1]!))),
        nameof(IConversationStore.LoadAsync) => ReadAsync(targetMethod.Name, () => _inner.LoadAsync((Guid)args![0]!)),
        nameof(IConversationStore.FindByClientIdsAsync) => ReadAsync(targetMethod.Name, () => _inner.FindByClientIdsAsync((Guid)args![0]!, ((Guid, Guid)[])args[1]!)),
        nameof(IConversationStore.SetBlockAsync) => WriteAsync(targetMethod.Name, () => _inner.SetBlockAsync((Guid)args![0]!, (Guid)args[1]!, (bool)args[2]!)),
        nameof(IConversationStore.SyncAsync) => ReadAsync(targetMethod.Name, () => _inner.SyncAsync((SyncCall[])args![0]!)),
        _ => targetMethod.Invoke(_inner, args),
    };

    private async Task<T> ReadAsync<T>(string name, Func<Task<T>> read)
    {
        await _before(name);
        return await read();
    }

    private async Task WriteAsync(string name, Func<Task> write)
    {
        await _before(name);
        await write();
    }

    private async Task<T> RunAsync<T>(Func<Task<T>> call)
    {
        double dice;
        int kind;
        lock (_random) (dice, kind) = (_random.NextDouble(), _random.Next(3));
        if (dice >= _faults) return await call();
        if (kind == 0) throw new StoreUnavailableException("before");
        if (kind == 1)
        {
            await call();
            throw new StoreUnavailableException("after");
        }

        lock (Late) Late.Add(LaterAsync());
        throw new StoreUnavailableException("later");

        async Task LaterAsync()
        {
            await Task.Delay(Random.Shared.Next(200));
            try
            {
                await call();
            }
            catch (Exception e) when (e is BatchBlockedException or StoreUnavailableException)
            {
                // A late statement may find the row locked, as any other.
            }
        }
    }
}
