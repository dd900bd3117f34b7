using System.Reflection;
using Pulse.Identity;
using Pulse.Web.Tests.Auth;

namespace Pulse.Web.Tests.Keys;

/// <summary>Key rings in memory, behind the grain interface, for tests without a silo.</summary>
internal sealed class MemoryRings
{
    private readonly Dictionary<string, Dictionary<string, string>> _rings = [];

    public MemoryRings()
    {
        Grains = DispatchProxy.Create<IGrainFactory, TestSessions.Proxy>();
        ((TestSessions.Proxy)(object)Grains).Answer = (_, arguments) => new Ring(this, (string)arguments[0]!);
    }

    public IGrainFactory Grains { get; }

    /// <summary>How often a ring was read.</summary>
    public int Reads { get; private set; }

    /// <summary>Whether the silos are unavailable.</summary>
    public bool AreAway { get; set; }

    /// <summary>The elements of that ring by name.</summary>
    public Dictionary<string, string> this[string name]
    {
        get
        {
            if (!_rings.TryGetValue(name, out var ring)) _rings[name] = ring = [];
            return ring;
        }
    }

    private sealed class Ring(MemoryRings rings, string name) : IKeyRingGrain
    {
        public Task<string[]> GetKeysAsync()
        {
            if (rings.AreAway) throw new TimeoutException("the test has taken it away");
            rings.Reads++;
            return Task.FromResult(rings[name].Values.ToArray());
        }

        public Task AddKeyAsync(string key, string xml)
        {
            rings[name][key] = xml;
            return Task.CompletedTask;
        }

        public Task<bool> TryAddKeyAsync(string key, string xml, int knownCount)
        {
            if (!rings[name].ContainsKey(key) && rings[name].Count != knownCount) return Task.FromResult(false);
            rings[name][key] = xml;
            return Task.FromResult(true);
        }
    }
}
