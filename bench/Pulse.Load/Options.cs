using System.Globalization;

namespace Pulse.Load;

/// <summary>The command line: a mode, then --name value pairs.</summary>
internal sealed class Options
{
    public const string Help = """
        Pulse.Load MODE --name value ...      prints one line of JSON
        modes: connect heartbeat churn storm hold fanout | me sync insert flood slow-reader
          --port 5000,5001               of the front ends, on 127.0.0.1; connections take turns among them
          --proto signalr                or socketio, as the original's clients speak; their sync has the profile in its body (not fanout)
          --tickets 1                    each connection asks for a ticket first, as the package's client does in a page
          --n 1000                       users, one connection each; requests (sync, insert)
          --first 0                      the first user's number
          --c 100                        at once: connection attempts, requests
          --w 64                         heartbeats in flight in all (heartbeat)
          --rounds 20                    changes (fanout), pairs (flood, slow-reader)
          --t 10  --warm 2               measured and unmeasured seconds (heartbeat, churn, hold, me, flood, slow-reader)
          --timeout 120                  seconds until unfinished connections count as errors
          --secret S                     of the HS256 tokens
          --database CONNECTION          an Npgsql connection string (insert)
          --server PID,.. --redis PID,.. --postgres PID,..   whose CPU is measured, with their descendants
          --label TEXT                   copied to the output
        """;

    private readonly Dictionary<string, string> _values = [];

    public Options(string[] args)
    {
        Mode = args.Length > 0 ? args[0] : "";
        for (var i = 1; i < args.Length; i += 2)
        {
            if (!args[i].StartsWith("--", StringComparison.Ordinal) || i + 1 == args.Length) throw new ArgumentException($"not an option with a value: {args[i]}");
            _values[args[i][2..]] = args[i + 1];
        }
    }

    public string Mode { get; }

    public ushort[] Ports => [.. Text("port", "5000").Split(',').Select(port => ushort.Parse(port, CultureInfo.InvariantCulture))];

    public IProtocol Protocol => Text("proto", "signalr") switch
    {
        "signalr" => new Hub(),
        "socketio" => new SocketIo(),
        var other => throw new ArgumentException($"unknown protocol {other}"),
    };

    public bool UsesTickets => Number("tickets", 0) > 0;

    public int Connections => (int)Number("n", 1000);

    public int FirstUser => (int)Number("first", 0);

    public int AtOnce => Math.Min((int)Number("c", 100), Connections);

    public int InFlight => (int)Number("w", 64);

    public int Rounds => (int)Number("rounds", 20);

    public double Seconds => Number("t", 10);

    public double Warm => Number("warm", 2);

    public double Timeout => Number("timeout", 120);

    public Jwt Jwt => new(Text("secret", ""), FirstUser);

    public Meter Meter => new([.. new[] { "server", "redis", "postgres" }.Select(name => (name, Pids(name)))]);

    public string Text(string name, string fallback) => _values.GetValueOrDefault(name, fallback);

    private int[] Pids(string name) => [.. Text(name, "").Split(',', StringSplitOptions.RemoveEmptyEntries).Select(pid => int.Parse(pid, CultureInfo.InvariantCulture))];

    private double Number(string name, double fallback) =>
        _values.TryGetValue(name, out var value) ? double.Parse(value, CultureInfo.InvariantCulture) : fallback;
}
