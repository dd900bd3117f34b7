using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;

namespace Pulse.Web.Tests.SignIn;

/// <summary>
/// A server of <c>tests/sign-in-servers</c> as a process. Each line of its output is a JSON object, and the first has its address.
/// </summary>
internal sealed class NodeServer : IAsyncDisposable
{
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly Channel<JsonElement> _lines = Channel.CreateUnbounded<JsonElement>();
    private readonly ConcurrentQueue<string> _errors = new();

    private NodeServer(Process process) => _process = process;

    public static async Task<(NodeServer Server, JsonElement First)> StartAsync(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo("node", [Path.Combine(NodePackage.Folder("sign-in-servers"), script), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        var server = new NodeServer(new Process { StartInfo = start });
        server._process.OutputDataReceived += (_, line) => server.Read(line.Data);
        server._process.ErrorDataReceived += (_, line) => server._errors.Enqueue(line.Data ?? "");
        server._process.Start();
        server._process.BeginOutputReadLine();
        server._process.BeginErrorReadLine();
        return (server, await server.NextAsync());
    }

    /// <summary>Waits for the next line and returns it.</summary>
    public async Task<JsonElement> NextAsync()
    {
        try
        {
            return await _lines.Reader.ReadAsync().AsTask().WaitAsync(s_bound);
        }
        catch (Exception exception) when (exception is TimeoutException or ChannelClosedException)
        {
            throw new InvalidOperationException($"No line from {_process.StartInfo.ArgumentList[0]}: {string.Join('\n', _errors)}", exception);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using var bound = new CancellationTokenSource(s_bound);
        try
        {
            await _process.WaitForExitAsync(bound.Token);
        }
        catch (OperationCanceledException)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private void Read(string? line)
    {
        if (line is null) _lines.Writer.TryComplete();
        else if (line.StartsWith('{')) _lines.Writer.TryWrite(JsonDocument.Parse(line).RootElement);
    }
}
