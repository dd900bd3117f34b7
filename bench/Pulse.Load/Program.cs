using System.Text.Json;
using Pulse.Load;

if (args is [] or ["--help" or "help"])
{
    Console.WriteLine(Options.Help);
    return 0;
}

try
{
    var options = new Options(args);
    var line = new Dictionary<string, object> { ["mode"] = options.Mode, ["label"] = options.Text("label", ""), ["at"] = DateTimeOffset.UtcNow };
    await MeasureAsync(options, options.Meter, line);
    Console.WriteLine(JsonSerializer.Serialize(line));
    return 0;
}
catch (Exception e) when (e is ArgumentException or FormatException or IOException)
{
    Console.Error.WriteLine(e.Message);
    return 1;
}

static Task MeasureAsync(Options options, Meter meter, Dictionary<string, object> line) => options.Mode switch
{
    "me" => new Http(options, meter, line).MeAsync(),
    "sync" => new Http(options, meter, line).SyncAsync(),
    "insert" => new Inserts(options, meter, line).RunAsync(),
    "flood" => new Flood(options, line).RunAsync(),
    "slow-reader" => new SlowReader(options, line).RunAsync(),
    _ => Task.Run(() => RunOnSockets(options, meter, line)),
};

static void RunOnSockets(Options options, Meter meter, Dictionary<string, object> line)
{
    const uint Loopback = 0x0100007f;
    var phases = new Phases(options, new Loop(options.Protocol, Loopback, options.Ports, options.UsesTickets), meter, line);
    Action phase = options.Mode switch
    {
        "connect" => phases.Connect,
        "heartbeat" => phases.Heartbeat,
        "churn" => phases.Churn,
        "storm" => phases.Storm,
        "hold" => phases.Hold,
        "fanout" => phases.Fanout,
        _ => throw new ArgumentException($"unknown mode {options.Mode}"),
    };
    phase();
}
