using System.Diagnostics;
using Npgsql;

namespace Pulse.Load;

/// <summary>
/// The limit of <c>sync</c>: only the statement, through Npgsql, at the same concurrency. This process is then the measured server.
/// </summary>
internal sealed class Inserts(Options options, Meter meter, Dictionary<string, object> line)
{
    private const string Sql =
        "INSERT INTO users (id, email, name, created_at) VALUES (@id, @email, @name, now()) ON CONFLICT (id) DO UPDATE SET name = excluded.name";

    // The number of warm-ups that bench/run.sh gives the servers for sync.
    private const int Warmups = 10;

    public async Task RunAsync()
    {
        await using var database = NpgsqlDataSource.Create(options.Text("database", ""));
        var latency = new Samples();
        for (var i = 1; i <= Warmups; i++) await InsertAsync(database, options.FirstUser + (i * options.Connections), latency);
        latency.Clear();

        meter.Start();
        var start = Stopwatch.GetTimestamp();
        await InsertAsync(database, options.FirstUser, latency);
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        meter.Stop();
        line["errors"] = 0;
        meter.Report(line, latency.Count, seconds);
        latency.Report(line);
    }

    private Task InsertAsync(NpgsqlDataSource database, int firstUser, Samples latency) => Parallel.ForEachAsync(
        Enumerable.Range(firstUser, options.Connections),
        new ParallelOptions { MaxDegreeOfParallelism = options.AtOnce },
        async (user, token) =>
        {
            var since = Stopwatch.GetTimestamp();
            await using var command = database.CreateCommand(Sql);
            command.Parameters.Add(new("id", Guid.Parse(Jwt.UserId(user))));
            command.Parameters.Add(new("email", $"user{user}@bench.test"));
            command.Parameters.Add(new("name", $"User {user}"));
            await command.ExecuteNonQueryAsync(token);
            lock (latency) latency.Add(Stopwatch.GetElapsedTime(since).TotalMicroseconds);
        });
}
