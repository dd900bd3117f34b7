using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Pulse.Web.Tests.Startup;

/// <summary>A built program of Pulse as a process, as an operator starts it, in a directory of its own.</summary>
internal sealed partial class PulseProcess : IAsyncDisposable
{
    // Much more than a start takes, for a busy machine.
    private static readonly TimeSpan s_bound = TimeSpan.FromMinutes(3);

    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly Process _process;

    private PulseProcess(Process process) => _process = process;

    public IReadOnlyCollection<string> Output => _output;

    public IReadOnlyCollection<string> Errors => _errors;

    public int Id => _process.Id;

    /// <param name="program"><c>Pulse.Web</c> or <c>Pulse.Silo</c>.</param>
    /// <param name="directory">Its working directory.</param>
    /// <param name="settings">Its environment, besides that of the tests without settings of Pulse.</param>
    /// <param name="arguments">Its arguments.</param>
    public static PulseProcess Start(string program, string directory, IEnumerable<KeyValuePair<string, string>> settings, params string[] arguments)
    {
        // A shell starts its background jobs with SIGINT ignored, and .NET leaves it so. The tests may be such a job.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", "dotnet", Program(program), .. arguments])
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Development";
        start.Environment["ASPNETCORE_URLS"] = "http://127.0.0.1:0";
        foreach (var (key, value) in settings) start.Environment[key] = value;
        var process = new PulseProcess(new Process { StartInfo = start });
        process._process.OutputDataReceived += (_, line) => Add(process._output, line.Data);
        process._process.ErrorDataReceived += (_, line) => Add(process._errors, line.Data);
        process._process.Start();
        process._process.BeginOutputReadLine();
        process._process.BeginErrorReadLine();
        return process;

        static void Add(ConcurrentQueue<string> lines, string? line)
        {
            if (line is not null) lines.Enqueue(line);
        }
    }

    /// <summary>Waits for the exit code. Both streams have been read to their ends.</summary>
    public async Task<int> ExitAsync()
    {
        using var bound = new CancellationTokenSource(s_bound);
        try
        {
            await _process.WaitForExitAsync(bound.Token);
            return _process.ExitCode;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"Still running after {s_bound.TotalSeconds} s:\n{this}");
        }
    }

    /// <summary>Waits for the first line on either stream with that text.</summary>
    public async Task<string> LineAsync(string text)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            if (_output.Concat(_errors).FirstOrDefault(line => line.Contains(text, StringComparison.Ordinal)) is { } found) return found;
            Assert.True(clock.Elapsed < s_bound && !_process.HasExited, $"No line with '{text}':\n{this}");
            await Task.Delay(20);
        }
    }

    /// <summary>Waits for the address in its log.</summary>
    public async Task<Uri> AddressAsync()
    {
        var line = await LineAsync(" is ready: ");
        return new(ReadyAddress().Match(line).Value);
    }

    /// <summary>Has the effect of Ctrl+C.</summary>
    public async Task InterruptAsync()
    {
        using var kill = Process.Start("kill", ["-INT", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
    }

    public void Kill() => _process.Kill();

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process.Dispose();
        LogSecrets.AssertNotIn(_output.Concat(_errors));
    }

    public override string ToString() => string.Join('\n', ["--- stderr", .. _errors, "--- stdout", .. _output]);

    // Up to a quotation mark, because a line may be JSON.
    [GeneratedRegex("(?<= is ready: )[^\"\\s]+")]
    private static partial Regex ReadyAddress();

    private static string Program(string name)
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        for (var folder = output; folder is not null; folder = folder.Parent)
        {
            var program = Path.Combine(folder.FullName, "src", name, "bin", output.Parent!.Name, output.Name, $"{name}.dll");
            if (File.Exists(program)) return program;
        }

        throw new InvalidOperationException($"{name}.dll is not built.");
    }
}
