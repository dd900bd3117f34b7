using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using StackExchange.Redis;

namespace Pulse.Cluster.Tests;

/// <summary>Compares the fleet's true state with Redis, PostgreSQL, <c>GET /presence</c> and the messages to watchers.</summary>
internal sealed class Checker(LocalCluster cluster, Fleet fleet)
{
    private const int UsersPerRequest = 200;

    // The delay between a client's close and the server's notice of it, on a busy machine.
    private static readonly TimeSpan s_lastSeenTolerance = TimeSpan.FromSeconds(3);

    private readonly string _token = cluster.Token(Guid.NewGuid(), "checker@example.com");

    /// <summary>The present faults, in words; empty when all agree.</summary>
    public async Task<string> FindFaultsAsync()
    {
        var here = fleet.Sockets.Where(socket => socket.Value.IsConnected).Select(socket => socket.Key).ToHashSet();
        var expected = fleet.Users.Where(id => !fleet.Left.ContainsKey(id)).ToHashSet();
        var faults = new List<string>();
        Note(faults, "not connected", expected.Except(here));

        var keys = await OnlineKeysAsync();
        Note(faults, "ghost keys", keys.Except(expected).Where(fleet.Sockets.ContainsKey));
        Note(faults, "missing keys", expected.Except(keys));

        var presences = await PresencesAsync();
        Note(faults, "offline by /presence", expected.Where(id => presences[id] == "offline"));
        Note(faults, "ghosts by /presence", fleet.Left.Keys.Where(id => presences[id] != "offline"));

        foreach (var watcher in fleet.Watchers)
        {
            if (!watcher.IsWatching) faults.Add("a watcher has not been answered");
            Note(faults, "not shown as online", watcher.UserIds.Where(id => expected.Contains(id) && watcher.StatusOf(id) != "online"));
            Note(faults, "shown as ghosts", watcher.UserIds.Where(id => !expected.Contains(id) && watcher.StatusOf(id) != "offline"));
        }

        return string.Join("; ", faults);
    }

    /// <summary>The users and times of false offline messages.</summary>
    public string DescribeFalseOfflines() => string.Join("; ", fleet.Watchers.SelectMany(watcher => watcher.Offlines)
        .Where(offline => !fleet.EverLeft.Contains(offline.UserId)).Take(10).Select(offline => $"{offline.UserId} at {offline.At:O}"));

    /// <summary>How often a watcher was shown a continuously connected user as offline.</summary>
    public int CountFalseOfflines() => fleet.Watchers.SelectMany(watcher => watcher.Offlines).Count(offline => !fleet.EverLeft.Contains(offline.UserId));

    /// <summary>
    /// The number of answered writes, and how many of them are missing in the database, with no later write in their place.
    /// </summary>
    public async Task<(int Answered, int Lost)> CountLostWritesAsync()
    {
        // Before the rows are read, because writing continues.
        var answered = fleet.Writers.Select(writer => (writer.UserId, writer.Answered, writer.AnsweredCount)).ToArray();
        await using var database = await cluster.OpenDatabaseAsync();
        await using var command = new NpgsqlCommand("select id, name from users", database);
        await using var rows = await command.ExecuteReaderAsync();
        var found = new Dictionary<Guid, int>();
        while (await rows.ReadAsync())
        {
            if (rows.GetString(1).Split(' ') is ["write", var number]) found[rows.GetGuid(0)] = int.Parse(number, CultureInfo.InvariantCulture);
        }

        return (answered.Sum(writer => writer.AnsweredCount), answered.Count(writer => found.GetValueOrDefault(writer.UserId) < writer.Answered));
    }

    /// <summary>Disconnected users whose last_seen differs from the moment of their disconnect, in words; empty if all are right.</summary>
    public async Task<string> FindWrongLastSeenAsync()
    {
        await using var database = await cluster.OpenDatabaseAsync();
        await using var command = new NpgsqlCommand("select id, last_seen from users", database);
        await using var rows = await command.ExecuteReaderAsync();
        var wrong = new List<string>();
        while (await rows.ReadAsync())
        {
            if (!fleet.Left.TryGetValue(rows.GetGuid(0), out var at)) continue;
            if (rows.IsDBNull(1) || (rows.GetFieldValue<DateTimeOffset>(1) - at).Duration() > s_lastSeenTolerance) wrong.Add($"{rows.GetGuid(0)} is {(rows.IsDBNull(1) ? "null" : rows.GetFieldValue<DateTimeOffset>(1)):O} and left at {at:O}");
        }

        return wrong.Count == 0 ? "" : $"{wrong.Count} wrong last_seen, such as {wrong[0]}";
    }

    private async Task<HashSet<Guid>> OnlineKeysAsync()
    {
        await using var redis = await cluster.OpenRedisAsync();
        var keys = new HashSet<Guid>();
        await foreach (RedisKey key in redis.GetServers()[0].KeysAsync(pattern: "user:*:online", pageSize: 1_000)) keys.Add(Guid.Parse(key.ToString().Split(':')[1]));
        return keys;
    }

    private async Task<Dictionary<Guid, string>> PresencesAsync()
    {
        var presences = new Dictionary<Guid, string>();
        foreach (var ids in fleet.Users.Chunk(UsersPerRequest))
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/presence?ids={string.Join(',', ids)}");
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
            using var answer = await fleet.Http.SendAsync(request);
            answer.EnsureSuccessStatusCode();
            foreach (var presence in (await answer.Content.ReadFromJsonAsync<JsonElement[]>())!)
            {
                presences[presence.GetProperty("userId").GetGuid()] = presence.GetProperty("status").GetString()!;
            }
        }

        return presences;
    }

    private static void Note(List<string> faults, string what, IEnumerable<Guid> userIds)
    {
        var ids = userIds.ToArray();
        if (ids.Length > 0) faults.Add($"{ids.Length} {what}, such as {ids[0]}");
    }
}
