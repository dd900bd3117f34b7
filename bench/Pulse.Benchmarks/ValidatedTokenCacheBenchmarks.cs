using System.Security.Claims;
using BenchmarkDotNet.Attributes;
using Pulse.Web.Auth;
using Pulse.Web.Tokens;

namespace Pulse.Benchmarks;

/// <summary>The check of each REST request whether its token is known to be good, with 2,000 known tokens.</summary>
[MemoryDiagnoser]
public class ValidatedTokenCacheBenchmarks
{
    private const int Tokens = 2_000;

    private readonly ValidatedTokenCache _checked = new(TimeProvider.System);
    private readonly string[] _tokens = [.. Enumerable.Range(0, Tokens).Select(i => new string('x', 300) + i)];
    private int _next;

    [GlobalSetup]
    public void Fill()
    {
        var caller = new Caller { Issuer = "pulse", Subject = Guid.NewGuid().ToString(), ExpiresAt = DateTimeOffset.MaxValue };
        foreach (var token in _tokens) _checked.Add(ValidatedTokenCache.Key.Of(token), new(new ClaimsPrincipal(), caller, null, null));
    }

    [Benchmark]
    public bool Find() => _checked.Find(ValidatedTokenCache.Key.Of(_tokens[_next++ % Tokens])) is not null;
}
