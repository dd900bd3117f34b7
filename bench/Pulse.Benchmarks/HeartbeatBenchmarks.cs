using System.Buffers;
using BenchmarkDotNet.Attributes;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Protocol;
using Pulse.Web.Hubs;

namespace Pulse.Benchmarks;

/// <summary>Reading a heartbeat through Pulse's protocol, beside SignalR's own.</summary>
[MemoryDiagnoser]
public class HeartbeatBenchmarks : IInvocationBinder
{
    private static readonly ReadOnlySequence<byte> s_beat =
        new("{\"type\":1,\"invocationId\":\"7\",\"target\":\"Heartbeat\",\"arguments\":[]}\u001e"u8.ToArray());

    private readonly JsonHubProtocol _own = new();
    private readonly OptionalArgumentsProtocol _decorated = new(new JsonHubProtocol());

    [Benchmark(Baseline = true)]
    public bool SignalR() => Parse(_own);

    [Benchmark]
    public bool Pulse() => Parse(_decorated);

    public IReadOnlyList<Type> GetParameterTypes(string methodName) => [];

    public Type GetReturnType(string invocationId) => typeof(object);

    public Type GetStreamItemType(string streamId) => typeof(object);

    private bool Parse(IHubProtocol protocol)
    {
        var input = s_beat;
        return protocol.TryParseMessage(ref input, this, out _);
    }
}
