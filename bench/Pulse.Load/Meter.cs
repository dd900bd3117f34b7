using System.Diagnostics;

namespace Pulse.Load;

/// <summary>The processes whose CPU is measured: process roots by name ("server", "redis", "postgres").</summary>
internal sealed class Meter(IReadOnlyList<(string Name, int[] Roots)> groups)
{
    private const double QuietSlice = 0.25, QuietShare = 0.05, MostSeconds = 8;

    private readonly record struct Reading(double[] Groups, double Load, double Everyone, double Stolen, long At);
    private Reading _start;
    private Reading _stop;

    public void Start() => _start = Read();
    public void Stop() => _stop = Read();

    public double ServerRssKiB() => Proc.RssKiB(Proc.Tree(groups[0].Roots));

    /// <summary>Lets the servers finish the work that the phase left: until they are quiet, for 8 s at most.</summary>
    public void Settle(Action<double> idle)
    {
        for (double waited = 0; waited < MostSeconds; waited += QuietSlice)
        {
            double before = Read().Groups.Sum();
            idle(QuietSlice);
            if (Read().Groups.Sum() - before < QuietSlice * QuietShare * 1e6) return;
        }
    }

    public void Report(Dictionary<string, object> line, double ops, double seconds)
    {
        line["ops"] = ops;
        line["seconds"] = Round(seconds);
        line["per_s"] = Round(ops / seconds);
        double[] used = [.. _stop.Groups.Zip(_start.Groups, (b, a) => b - a)];
        double load = _stop.Load - _start.Load;
        double machine = Stopwatch.GetElapsedTime(_start.At, _stop.At).TotalMicroseconds * Environment.ProcessorCount;
        line["cpu_us_per_op"] = Round(used.Sum() / ops);
        line["cpu_us_per_op_by"] = groups.Zip(used).ToDictionary(g => g.First.Name, g => Round(g.Second / ops));
        line["load_cpu_us_per_op"] = Round(load / ops);
        line["servers_cpu_pct_of_machine"] = Round(100 * used.Sum() / machine);
        line["other_cpu_pct_of_machine"] = Round(100 * (_stop.Everyone - _start.Everyone - used.Sum() - load) / machine);
        line["stolen_cpu_pct_of_machine"] = Round(100 * (_stop.Stolen - _start.Stolen) / machine);
        line["loadavg"] = Proc.LoadAverage();
    }

    private Reading Read()
    {
        double[] cpu = [.. groups.Select(g => Proc.CpuMicroseconds(Proc.Tree(g.Roots)))];
        return new Reading(cpu, Environment.CpuUsage.TotalTime.TotalMicroseconds,
            Proc.CpuMicroseconds(Proc.Everyone()), Proc.Stolen(), Stopwatch.GetTimestamp());
    }

    public static double Round(double value) => double.IsFinite(value) ? Math.Round(value, 3) : -1;
}

/// <summary>All latencies, in microseconds.</summary>
internal sealed class Samples
{
    private readonly List<double> _values = new(1 << 16);

    public int Count => _values.Count;
    public void Clear() => _values.Clear();

    public void Add(double microseconds) => _values.Add(microseconds);

    public void Report(Dictionary<string, object> line)
    {
        _values.Sort();
        foreach (var (name, q) in new[] { ("p50_ms", 0.5), ("p95_ms", 0.95), ("p99_ms", 0.99), ("p999_ms", 0.999), ("max_ms", 1) })
            line[name] = _values.Count == 0 ? -1 : Meter.Round(_values[Math.Max(0, (int)Math.Ceiling(q * _values.Count) - 1)] / 1000);
    }
}
