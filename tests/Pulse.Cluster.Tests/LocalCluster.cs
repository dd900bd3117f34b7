using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Npgsql;
using Pulse.Web.Tests;
using Pulse.Web.Tests.Auth;
using StackExchange.Redis;

namespace Pulse.Cluster.Tests;

/// <summary>
/// Three silos and two front ends behind HAProxy, as <c>deploy/local/cluster.sh</c> starts them, and methods that cause faults.
/// </summary>
internal sealed class LocalCluster : IAsyncDisposable
{
    /// <summary>The processes of Pulse itself.</summary>
    public static readonly string[] Processes = ["silo-1", "silo-2", "silo-3", "front-end-1", "front-end-2"];

    private static readonly string s_configuration = Environment.GetEnvironmentVariable("PULSE_TEST_CONFIGURATION") ?? "Debug";
    private static readonly string s_script = Path.GetFullPath(Path.Combine(Here(), "../../deploy/local/cluster.sh"));

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("pulse-cluster-");
    private readonly Dictionary<string, string> _environment;

    private LocalCluster() => _environment = new()
    {
        ["PULSE_CLUSTER_DIR"] = _directory.FullName,
        ["ASPNETCORE_ENVIRONMENT"] = "Production",
        ["PULSE_CONFIGURATION"] = s_configuration,
        ["Pulse__Presence__TimeToLive"] = Scale.TimeToLive.ToString("c"),
        ["Pulse__Presence__HeartbeatInterval"] = (Scale.TimeToLive / 2).ToString("c"),
        // 2 MiB instead of a size that depends on the machine's caches, so that growing memory is retained memory.
        ["DOTNET_GCgen0size"] = "0x200000",
        // Debug builds have three times the default, because five processes start cold on the cores that also make the load.
        ["PULSE_CLUSTER_POSTGRES_OPTIONS"] = s_configuration == "Debug" ? "Command Timeout=6" : "",
        ["Pulse__Drain__NoticePeriod"] = "00:00:03",
        ["Pulse__Drain__Window"] = Scale.IsLong ? "00:00:05" : "00:00:01",
    };

    /// <summary>The address for clients.</summary>
    public Uri Address { get; private set; } = null!;

    public static async Task<LocalCluster> StartAsync()
    {
        var cluster = new LocalCluster();
        try
        {
            // A build of an earlier version, with both programs in one directory. Processes that are started again later are of this
            // version.
            if (Environment.GetEnvironmentVariable("PULSE_CLUSTER_PREVIOUS") is { Length: > 0 } previous)
            {
                foreach (var name in Processes) cluster._environment[Build(name)] = previous;
            }

            cluster.Address = new((await cluster.RunAsync("up", "--silos", "3", "--front-ends", "2")).Trim());
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends it like a power cut.</summary>
    public Task KillAsync(string name) => RunAsync("kill", name);

    public Task SignalAsync(string name, string signal) => RunAsync("kill", name, signal);

    /// <summary>Drops every packet between that silo and the front ends, until <see cref="MendAsync"/>.</summary>
    public Task CutAsync(string silo) => RunAsync("cut", silo);

    public Task MendAsync(string silo) => RunAsync("mend", silo);

    /// <summary>Stops it regularly. Returns when the process has ended.</summary>
    public Task StopAsync(string name) => RunAsync("stop", name);

    public Task StartAsync(string name)
    {
        _environment.Remove(Build(name));
        return RunAsync("start", name);
    }

    /// <summary>Stops all processes of PostgreSQL, so that it neither answers nor refuses, or lets them go on.</summary>
    public void SilencePostgres(bool silent)
    {
        var server = Pid("postgres");
        // The server itself first, so that no process is added.
        string[] all = [server, .. File.ReadAllText($"/proc/{server}/task/{server}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries)];
        using var kill = Process.Start("kill", [silent ? "-STOP" : "-CONT", .. all])!;
        kill.WaitForExit();
    }

    /// <summary>Deletes all stored data of a stopped Redis.</summary>
    public void EmptyRedis() => Directory.Delete(Path.Combine(_directory.FullName, "redis"), recursive: true);

    /// <summary>A token of that user, valid for an hour.</summary>
    public string Token(Guid userId, string email)
    {
        var claims = TestTokens.Claims(userId, email);
        claims["exp"] = TestTokens.In(4 * 3600);
        return TestTokens.Hs256(claims, File.ReadAllText(Path.Combine(_directory.FullName, "signing-key")).Trim());
    }

    /// <summary>A front end's own address, past HAProxy.</summary>
    public Uri AddressOf(string name) => new($"http://127.0.0.1:{Port(name)}");

    public async Task<NpgsqlConnection> OpenDatabaseAsync()
    {
        var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={Port("postgres")};Username=pulse;Database=pulse;Pooling=false");
        await connection.OpenAsync();
        return connection;
    }

    public Task<ConnectionMultiplexer> OpenRedisAsync() => ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{Port("redis")},allowAdmin=true");

    /// <summary>HAProxy's state of that front end: <c>UP</c>, or the reason for another state.</summary>
    public async Task<string> BalancerStateAsync(string name)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(Path.Combine(_directory.FullName, "haproxy.sock")));
        await using var stream = new NetworkStream(socket);
        await stream.WriteAsync("show stat\n"u8.ToArray());
        using var reader = new StreamReader(stream);

        // CSV: proxy, server, …, and the state in the eighteenth column (HAProxy's management guide, 9.1).
        var rows = (await reader.ReadToEndAsync()).Split('\n').Select(line => line.Split(','));
        return rows.First(row => row.Length > 17 && row[1] == name)[17];
    }

    /// <summary>Whether the process runs. A zombie counts as ended.</summary>
    public bool IsAlive(string name)
    {
        try
        {
            // proc(5): "State:	S (sleeping)".
            var state = File.ReadLines($"/proc/{Pid(name)}/status").First(line => line.StartsWith("State:", StringComparison.Ordinal));
            return state.Split('\t')[1][0] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    /// <summary>Resident memory in bytes, without mapped files.</summary>
    public long OwnBytes(string name)
    {
        // proc(5): "RssAnon:     51428 kB".
        var line = File.ReadLines($"/proc/{Pid(name)}/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>The warnings and last lines of each process, for the message of a failed test.</summary>
    public string LogTails() => string.Join('\n', _directory.GetFiles("*.log").Select(file => string.Join('\n', [
        $"--- {file.Name}",
        .. File.ReadLines(file.FullName).Where(line => line.Contains("Answered 5")).TakeLast(5),
        .. File.ReadLines(file.FullName).TakeLast(10)])));

    public async ValueTask DisposeAsync()
    {
        // While the files exist, because down removes them. The key exists unless the start itself has failed.
        var key = new FileInfo(Path.Combine(_directory.FullName, "signing-key"));
        var secret = key.Exists ? (await File.ReadAllTextAsync(key.FullName)).Trim() : null;
        var leaks = Processes.Select(name => new FileInfo(Path.Combine(_directory.FullName, $"{name}.log"))).Where(file => file.Exists)
            .SelectMany(file => ReadShared(file.FullName))
            .Where(line => LogSecrets.IsIn(line) || (secret is not null && line.Contains(secret, StringComparison.Ordinal))).Take(3).ToArray();
        await RunAsync("down");
        if (_directory.Exists) _directory.Delete(recursive: true);
        Assert.Empty(leaks);
    }

    // Their processes still write to them.
    private static IEnumerable<string> ReadShared(string file)
    {
        using var reader = new StreamReader(new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        while (reader.ReadLine() is { } line) yield return line;
    }

    private string Pid(string name) => File.ReadAllText(Path.Combine(_directory.FullName, $"{name}.pid")).Trim();

    private static string Build(string name) => $"PULSE_BUILD_{name.Replace('-', '_')}";

    private int Port(string name) => int.Parse(File.ReadAllText(Path.Combine(_directory.FullName, $"{name}.port")), CultureInfo.InvariantCulture);

    private async Task<string> RunAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(s_script, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (key, value) in _environment) start.Environment[key] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? await output : throw new InvalidOperationException($"cluster.sh {string.Join(' ', arguments)}: {await errors}\n{LogTails()}");
    }

    private static string Here([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
