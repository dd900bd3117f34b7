using System.Collections.Concurrent;
using System.Diagnostics;

namespace Pulse.Web.Tests.Conversations.Scripts;

/// <summary>Plays a script in a conversation of its own: users with devices at two front ends, over the silos of the cluster.</summary>
internal sealed class ChatWorld
{
    public const int Devices = 6;

    // The user of each device.
    private static readonly int[] s_userOf = [0, 1, 1, 2, 2, 3];

    // An event that takes longer does not delay the next ones.
    private static readonly TimeSpan s_patience = TimeSpan.FromMilliseconds(100);

    // What the chat promises until a client has everything again: two intervals of renewals and checks.
    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(10);

    // For a busy machine, where no clock jumps. The shorter scripts that follow a failure are many, and wait less.
    private static readonly TimeSpan s_bound = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan s_boundAfterFailure = TimeSpan.FromSeconds(1.5);

    private readonly ScriptCluster _cluster;
    private readonly ChatScript _script;
    private readonly Guid _id = Guid.NewGuid();
    private readonly Ledger _ledger = new();
    private readonly ScriptUsers _users;
    private readonly ScriptDevice[] _devices;
    private readonly RivalWriter _rival;
    private readonly ConcurrentQueue<Task> _running = new();

    public ChatWorld(ScriptCluster cluster, ChatScript script)
    {
        (_cluster, _script) = (cluster, script);
        _users = new(cluster, _id, _ledger);
        _devices = [.. s_userOf.Select((user, i) => new ScriptDevice(cluster, _id, _users.Ids[user], i, _ledger, Start))];
        _rival = new(cluster, _id, _ledger);
    }

    private TimeSpan Bound => _cluster.HasFailed ? s_boundAfterFailure : s_bound;

    /// <summary>Plays the script. Its last events may still have no answer.</summary>
    public async Task PlayAsync()
    {
        await _cluster.BeginAsync(_script);
        await _users.CreateAsync(_script.NewcomersSeeAll);
        foreach (var device in _devices) device.Connect();
        await Task.WhenAll(_devices.Where(device => _users.First.Contains(device.UserId)).Select(device => device.OpenAsync()));
        foreach (var step in _script.Steps)
        {
            // Begins at once, so that faults come in the order of the script, and none after its end.
            var act = DoAsync(step);
            _running.Enqueue(act);
            if (step.IsAwaited) await Task.WhenAny(act, Task.Delay(s_patience));
        }
    }

    /// <summary>Everything works again. Clients repeat what they do not know, and 20 s pass.</summary>
    /// <returns>The violated rules.</returns>
    public async Task<string[]> SettleAsync()
    {
        await _cluster.Faults.EndAsync();
        foreach (var device in _devices) device.ResumeReading();
        await _cluster.UntilWholeAsync();
        while (_running.TryDequeue(out var act)) await act.WaitAsync(s_bound * 2);
        await _users.ResolveAsync(condition => UntilAsync(condition, Bound));

        var log = new TrueLog(await _cluster.ReadWrittenAsync(_id), _users.Ids, _users.First, _script.NewcomersSeeAll);
        for (var i = 0; i < 2 && !await AreEqualAsync(log); i++)
        {
            _cluster.Clock.Jump(s_interval);
            await UntilAsync(() => AreEqualAsync(log), Bound / 10);
        }

        await UntilAsync(() => AreEqualAsync(log), Bound);
        for (var i = 0; i < ScriptUsers.Count; i++) await _users.LookAsync(i);
        var checker = new ScriptChecker(_cluster, _id, log, _ledger);
        string[] faults = [.. Late(log), .. await checker.FindFaultsAsync(_users.Ids, _devices)];
        foreach (var device in _devices) device.Disconnect();
        _cluster.HasFailed |= faults.Length > 0;
        return faults;
    }

    // Devices call this while they take a message.
    private void Start(Func<Task> call) => _running.Enqueue(Task.Run(call));

    private Task DoAsync(ScriptStep step)
    {
        var (user, device, number) = (step.User, _devices[step.Device], step.Number);
        var silos = _cluster.Cluster.Silos;
        switch (step.Act)
        {
            case Act.Send: return _users.SendAsync(user, number);
            case Act.Repeat: return _users.RepeatAsync(number);
            case Act.Edit: return _users.EditAsync(user, number);
            case Act.Delete: return _users.DeleteAsync(user, number);
            case Act.Mark: return _users.MarkAsync(user, number);
            case Act.Look: return _users.LookAsync(user);
            case Act.Add: return _users.AddAsync(number);
            case Act.Remove: return _users.RemoveAsync(number);
            case Act.Leave: return _users.LeaveAsync(user);
            case Act.Open: return device.OpenAsync();
            case Act.Close: return device.CloseAsync();
            case Act.Fetch: return device.FetchAsync();
            case Act.Reconnect: return ReconnectAsync([device]);
            case Act.Claim: return _rival.ClaimAsync();
            case Act.Append: return _rival.AppendAsync(_users.Ids[ScriptUsers.Owner], 1 + (number % 3), _users.NewText);
            case Act.AppendMany: return _rival.AppendAsync(_users.Ids[ScriptUsers.Owner], RivalWriter.Many, _users.NewText);
            case Act.Deactivate: return DeactivateAsync();
            case Act.CrashFrontEnd: return ReplaceFrontEndAsync(number % _cluster.FrontEnds.Length);
            case Act.PauseReading:
                device.PauseReading();
                break;
            case Act.ResumeReading:
                device.ResumeReading();
                break;
            case Act.DisturbStore:
                _cluster.Faults.Disturb((ChatFaults.StoreFate)(number % 3));
                break;
            case Act.DisturbCall:
                _cluster.Faults.Disturb((ChatFaults.CallFate)(number % 4));
                break;
            case Act.Jump:
                _cluster.Clock.Jump(TimeSpan.FromSeconds(number % 2 == 0 ? 2 : 11));
                break;
            case Act.Freeze:
                _cluster.Faults.Freeze(silos[number % silos.Count].Name);
                break;
            case Act.Thaw:
                _cluster.Faults.Thaw();
                break;
            case Act.CrashSilo:
                _cluster.CrashSilo(number);
                break;
        }

        return Task.CompletedTask;
    }

    private async Task DeactivateAsync()
    {
        try
        {
            await _cluster.Cluster.DeactivateAsync(_users.Grain);
        }
        catch (Exception e) when (e is OrleansException or TimeoutException)
        {
            // Its silo has died.
        }
    }

    private async Task ReplaceFrontEndAsync(int number)
    {
        var former = await _cluster.ReplaceFrontEndAsync(number);
        await ReconnectAsync([.. _devices.Where(device => device.IsAt(former))]);
        await former.DisposeAsync();
    }

    private static Task ReconnectAsync(ScriptDevice[] devices)
    {
        foreach (var device in devices)
        {
            device.Disconnect();
            device.Connect();
        }

        return Task.WhenAll(devices.Where(device => device.IsWanted).Select(device => device.OpenAsync()));
    }

    private async Task<bool> AreEqualAsync(TrueLog log)
    {
        // Every member returns in the end. A client may also have been told to open the conversation again.
        foreach (var device in _devices.Where(device => !device.IsOpen && IsMember(log, device))) await device.OpenAsync();
        return !Late(log).Any();
    }

    /// <summary>The devices that lack something, or that have the conversation open though their user was removed.</summary>
    private IEnumerable<string> Late(TrueLog log)
    {
        foreach (var device in _devices)
        {
            if (IsMember(log, device) && !device.IsOpen) yield return $"{device} could not open the conversation";
            if (!IsMember(log, device) && device.IsOpen) yield return $"{device} has it open after the removal of its user";
            if (device.IsOpen && device.Range.Last != log.Head) yield return $"{device} has {device.Range} of {log.Head} after 20 s";
        }
    }

    private static bool IsMember(TrueLog log, ScriptDevice device) => log.StayAt(device.UserId, log.Head) is not null;

    private static async Task UntilAsync(Func<Task<bool>> condition, TimeSpan bound)
    {
        var clock = Stopwatch.StartNew();
        while (!await condition() && clock.Elapsed < bound) await Task.Delay(5);
    }
}
