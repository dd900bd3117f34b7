using System.Globalization;

namespace Pulse.Load;

/// <summary>CPU time and memory from /proc, of processes with all their descendants.</summary>
internal static class Proc
{
    private const double MicrosecondsPerTick = 1e6 / 100; // USER_HZ

    /// <summary>CPU time of the tree, including its children that have ended.</summary>
    public static double CpuMicroseconds(IEnumerable<int> tree) => tree.Sum(pid =>
        Stat(pid) is { } f ? f[11..15].Sum(long.Parse) * MicrosecondsPerTick : 0); // utime stime cutime cstime

    public static double RssKiB(IEnumerable<int> tree) => tree.Sum(pid =>
        Stat(pid) is { } f ? long.Parse(f[21]) * (Environment.SystemPageSize / 1024) : 0);

    public static int[] Tree(int[] roots)
    {
        if (roots.Length == 0) return [];
        var parents = Everyone().Select(pid => (pid, parent: Stat(pid) is { } f ? int.Parse(f[1]) : 0)).ToList();
        var tree = new List<int>(roots);
        for (int i = 0; i < tree.Count; i++)
            tree.AddRange(parents.Where(p => p.parent == tree[i] && !tree.Contains(p.pid)).Select(p => p.pid));
        return [.. tree];
    }

    public static int[] Everyone() =>
        [.. Directory.GetDirectories("/proc").Select(d => int.TryParse(Path.GetFileName(d), out int pid) ? pid : 0).Where(pid => pid > 0)];

    /// <summary>CPU time that the host kept from this (virtual) machine, in microseconds.</summary>
    public static double Stolen() =>
        long.Parse(File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[8]) * MicrosecondsPerTick;

    public static double LoadAverage() =>
        double.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[0], CultureInfo.InvariantCulture);

    /// <summary>The fields of /proc/PID/stat from the third (state) on.</summary>
    private static string[]? Stat(int pid)
    {
        try
        {
            string text = File.ReadAllText($"/proc/{pid}/stat");
            return text[(text.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException) { return null; }
    }
}
