using System.Globalization;

namespace Pulse.Web.Tests.Startup;

/// <summary>Several Pulse on one machine, in the one-process topology.</summary>
public sealed class NeighboursTests : IDisposable
{
    // Warnings of Orleans and Kestrel that the machine gives the process too little time.
    private static readonly string[] s_busyMachine =
        ["took elapsed time", "stalled for", "Timer should have fired at", "the heartbeat has been running for"];

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pulse-neighbours-");

    [Fact]
    public async Task TwoDirectories_BothServe_EachOnItsAddressAndNoOtherPort()
    {
        await using var first = Start("first");
        await using var second = Start("second", "--urls", "http://127.0.0.1:0");
        using var client = new HttpClient();
        foreach (var process in new[] { first, second })
        {
            var address = await process.AddressAsync();
            using var answer = await client.GetAsync(new Uri(address, "/health/ready"));
            Assert.True(answer.IsSuccessStatusCode, process.ToString());
            Assert.Equal([address.Port], ListeningPorts(process.Id));
        }
    }

    [Fact]
    public async Task OneDirectory_TheSecondSaysWhatToChange()
    {
        await using var first = Start("shared");
        await first.AddressAsync();
        await using var second = Start("shared");

        Assert.Equal(1, await second.ExitAsync());
        var line = Assert.Single(second.Errors);
        Assert.Contains("Pulse:DataDirectory", line, StringComparison.Ordinal);
        Assert.Contains("--Pulse:DataDirectory=", line, StringComparison.Ordinal);

        // A killed process leaves no lock.
        first.Kill();
        await first.ExitAsync();
        await using var third = Start("shared");
        await third.AddressAsync();
    }

    [Fact]
    public async Task StartAndCtrlC_LogNoWarning()
    {
        await using var process = Start("calm");
        var address = await process.AddressAsync();
        Assert.Equal("127.0.0.1", address.Host);

        await process.InterruptAsync();

        Assert.Equal(0, await process.ExitAsync());
        Assert.True(process.Errors.Count == 0 && !Complaints(process.Output).Any(), process.ToString());
    }

    /// <summary><c>dotnet run</c> would silently let the profile's address win over ASPNETCORE_URLS.</summary>
    [Fact]
    public void LaunchProfile_LeavesTheAddressToTheEnvironment()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); ; folder = folder.Parent!)
        {
            var file = Path.Combine(folder.FullName, "src", "Pulse.Web", "Properties", "launchSettings.json");
            if (!File.Exists(file)) continue;
            var text = File.ReadAllText(file);
            Assert.Contains("ASPNETCORE_ENVIRONMENT", text, StringComparison.Ordinal);
            Assert.DoesNotContain("applicationUrl", text, StringComparison.Ordinal);
            return;
        }
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private PulseProcess Start(string name, params string[] arguments) =>
        PulseProcess.Start("Pulse.Web", _directory.CreateSubdirectory(name).FullName, [], arguments);

    /// <summary>The warnings and errors. The category is on a line of its own, before that of the message.</summary>
    private static IEnumerable<string> Complaints(IReadOnlyCollection<string> output) =>
        from entry in output.Zip(output.Skip(1).Append(""), (first, second) => $"{first}{second}")
        let isWarning = entry.StartsWith("warn:", StringComparison.Ordinal)
        where isWarning || entry.StartsWith("fail:", StringComparison.Ordinal) || entry.StartsWith("crit:", StringComparison.Ordinal)
        where !(isWarning && s_busyMachine.Any(words => entry.Contains(words, StringComparison.Ordinal)))
        select entry;

    /// <summary>The TCP ports on which that process listens (proc(5): sockets by inode, state 0A).</summary>
    private static int[] ListeningPorts(int processId)
    {
        var inodes = Directory.GetFiles($"/proc/{processId}/fd").Select(file => new FileInfo(file).LinkTarget ?? "")
            .Where(target => target.StartsWith("socket:[", StringComparison.Ordinal)).Select(target => target[8..^1]).ToHashSet();
        return
        [
            .. from line in File.ReadLines($"/proc/{processId}/net/tcp").Concat(File.ReadLines($"/proc/{processId}/net/tcp6"))
               let fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)
               where fields.Length > 9 && fields[3] == "0A" && inodes.Contains(fields[9])
               select int.Parse(fields[1].Split(':')[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture),
        ];
    }
}
