using Pulse.Presence;
using Pulse.Users;

namespace Pulse.Grains.Tests.Presence.Watching;

/// <summary>Plays a script twice: on the reference users, and as messages to the grains of a cluster.</summary>
internal sealed class World
{
    public const int Users = 2;
    public const int FrontEnds = 3;

    private static readonly TimeSpan s_renewalInterval = LeaseTimes.RenewalInterval(SteppedCluster.Options.TimeToLive);

    // Orleans gives a message up after its response timeout of 30 s, so every delay is shorter.
    private static readonly TimeSpan s_longestDelay = TimeSpan.FromSeconds(25);

    private static readonly TimeSpan s_pause = SteppedCluster.Options.TimeToLive * 1.5;

    private readonly SteppedCluster _cluster;
    private readonly TrueUser[] _users = [.. Enumerable.Range(0, Users).Select(_ => new TrueUser(Guid.CreateVersion7()))];
    private readonly WatchingFrontEnd[] _frontEnds;
    private readonly List<WatchingFrontEnd> _allFrontEnds;
    private readonly DateTimeOffset[] _upkeepAt;
    private readonly List<(DateTimeOffset SentAt, Func<Task> Send)> _late = [];

    // Which users were connected since when. A snapshot's version is the time at which the grain made it.
    private readonly List<(long FromMs, bool[] IsHere, bool[] IsInvisible)> _history = [];

    public World(SteppedCluster cluster)
    {
        _cluster = cluster;
        _frontEnds = [.. Enumerable.Range(0, FrontEnds).Select(_ => new WatchingFrontEnd(cluster.Client))];
        _allFrontEnds = [.. _frontEnds];

        // At different times, like processes that were started one after the other.
        _upkeepAt = [.. Enumerable.Range(1, FrontEnds).Select(i => Now + (s_renewalInterval * i / FrontEnds))];
    }

    private DateTimeOffset Now => _cluster.Clock.Now;

    public async Task PlayAsync(Script script)
    {
        foreach (var happening in script.Happenings)
        {
            await PassAsync(TimeSpan.FromMilliseconds(happening.PauseMs));
            var before = Moment();
            await DoAsync(happening, before);
            foreach (var user in _users) await _frontEnds[0].LookAsync(user.Id);
        }
    }

    /// <summary>The network works again, and time passes until every message has expired or was repeated.</summary>
    public async Task SettleAsync()
    {
        foreach (var frontEnd in _frontEnds) frontEnd.Turn(WatchingFrontEnd.Network.Works);
        await DeliverLateAsync(_late.Count);
        await PassAsync(SteppedCluster.Options.TimeToLive + SteppedCluster.Options.OfflineGrace + SteppedCluster.Options.LeaseDuration);
        foreach (var i in Enumerable.Range(0, FrontEnds)) await RenewAsync(_frontEnds[i]);
        foreach (var frontEnd in _frontEnds) await RefreshAsync(frontEnd);
    }

    /// <summary>The violated rules; empty if all hold.</summary>
    public IEnumerable<string> Faults()
    {
        foreach (var (user, i) in _users.Select((user, i) => (user, i)))
        {
            var truth = user.Shown(Now);
            foreach (var (frontEnd, f) in _frontEnds.Select((frontEnd, f) => (frontEnd, f)))
            {
                if (frontEnd.Known(user.Id) is { } known && (known.Status, known.Message) != truth)
                {
                    yield return $"front end {f} ends with user {i} as {known}, in truth {truth}";
                }
            }

            foreach (var seen in _allFrontEnds.SelectMany(frontEnd => frontEnd.Accepted))
            {
                if (seen.UserId == user.Id && seen.OwnStatus == PresenceStatus.Offline && WasHere(i, seen.Version))
                {
                    yield return $"user {i} was seen offline while here, {seen.Version - _history[0].FromMs} ms after the beginning";
                }
            }
        }

        foreach (var leak in Leaks()) yield return leak;
    }

    private IEnumerable<string> Leaks()
    {
        foreach (var sent in _allFrontEnds.SelectMany(frontEnd => frontEnd.Sent))
        {
            var i = Array.FindIndex(_users, user => user.Id == sent.UserId);
            if (InvisibleSince(i, sent.Version) is not { } since) continue;
            var at = $"{sent.Version - _history[0].FromMs} ms after the beginning";
            if (sent.Status != PresenceStatus.Offline) yield return $"user {i} was shown as {sent.Status} while invisible, {at}";
            if (sent.LastSeenAt?.ToUnixTimeMilliseconds() > since) yield return $"lastSeen of user {i} moved to {sent.LastSeenAt:O} while invisible, {at}";
        }
    }

    /// <summary>The start of the certain invisibility at that moment; <see langword="null"/> if it is uncertain.</summary>
    private long? InvisibleSince(int user, long ms)
    {
        var index = _history.FindLastIndex(moment => moment.FromMs <= ms);
        if (index < 0 || !_history[index].IsInvisible[user]) return null;
        while (index > 0 && _history[index - 1].IsInvisible[user]) index--;
        return _history[index].FromMs;
    }

    private bool WasHere(int user, long ms) => _history.FindLast(moment => moment.FromMs <= ms).IsHere[user];

    private async Task DoAsync(Happening happening, (bool[] IsHere, bool[] IsInvisible) before)
    {
        var user = _users[happening.User];
        var frontEnd = _frontEnds[happening.FrontEnd];
        var device = user.Open.Count == 0 ? null : user.Open[happening.Device % user.Open.Count];
        var grain = _cluster.Client.GetGrain<IUserGrain>(user.Id);
        Func<Task>? message = null;
        var delivery = happening.Delivery;
        switch (happening.Act)
        {
            case Act.Connect:
                // This answer reports the connection to the client, so the client counts as disconnected until it arrives.
                if (delivery == Delivery.Late) delivery = Delivery.OnTime;
                var lease = user.Connect(frontEnd.Id, Now).ToLease(Now);
                message = () => RenewedAsync(user, lease, () => grain.ConnectAsync(lease, frontEnd.Reference));
                break;

            case Act.Close when device is not null:
                user.Close(device);
                message = End(device, ConnectionEnd.Closed);
                break;

            case Act.Drop when device is not null:
                user.Drop(device, Now);
                message = End(device, ConnectionEnd.Dropped);
                break;

            case Act.Renew when device is not null:
                message = Renew(device);
                break;

            case Act.SetStatus when device is not null:
                device.Set(happening.Status, happening.Device % 2 == 0 ? $"words {happening.Device} at {Now:T}" : null, Now);
                message = Renew(device);
                break;

            case Act.Idle when device is not null:
                device.IsIdle = true;
                break;

            case Act.RestartFrontEnd:
                foreach (var each in _users)
                {
                    foreach (var lost in each.Open.Where(open => open.FrontEndId == frontEnd.Id).ToArray()) each.Drop(lost, Now);
                }

                _frontEnds[happening.FrontEnd] = new WatchingFrontEnd(_cluster.Client);
                _allFrontEnds.Add(_frontEnds[happening.FrontEnd]);
                break;

            case Act.StandStill:
                StandStill();
                break;
        }

        Note(before);
        if (message is not null && delivery != Delivery.Late) await message();
        if (message is not null && delivery != Delivery.OnTime) _late.Add((Now, message));
        await (happening.Act switch
        {
            Act.Watch => frontEnd.WatchAsync(user.Id),
            Act.Unwatch => frontEnd.UnwatchAsync(user.Id),
            Act.DeliverLate => DeliverLateAsync(1),
            Act.LoseGrain => _cluster.Cluster.DeactivateAsync(grain),
            Act.StandStill => _cluster.SweepAsync(),
            _ => Task.CompletedTask,
        });
        if (happening.Act == Act.LoseChanges) frontEnd.Turn(WatchingFrontEnd.Network.Loses);
        if (happening.Act == Act.HoldChanges) frontEnd.Turn(WatchingFrontEnd.Network.Holds);
        if (happening.Act == Act.PassChanges) frontEnd.Turn(WatchingFrontEnd.Network.Works);

        Func<Task> End(Device ended, ConnectionEnd how)
        {
            var lease = ended.ToLease(Now);
            return () => EndedAsync(user, lease, how, () => grain.DisconnectAsync(lease, how));
        }

        Func<Task> Renew(Device renewed)
        {
            var lease = renewed.ToLease(Now);
            var holder = _frontEnds.First(candidate => candidate.Id == renewed.FrontEndId).Reference;
            return () => RenewedAsync(user, lease, () => grain.RenewAsync([lease], holder));
        }
    }

    private async Task PassAsync(TimeSpan pause)
    {
        var until = Now + pause;
        while (Now < until)
        {
            var next = new[] { until, Now + TimeSpan.FromSeconds(5) }.Concat(_upkeepAt).Min();
            _cluster.Clock.Set(next);
            Note(Moment());
            await _cluster.SweepAsync();
            await DeliverLateAsync(_late.Count(late => late.SentAt + s_longestDelay <= Now));
            for (var i = 0; i < FrontEnds; i++)
            {
                if (_upkeepAt[i] > Now) continue;
                _upkeepAt[i] += s_renewalInterval;
                await RenewAsync(_frontEnds[i]);
                await RefreshAsync(_frontEnds[i]);
            }
        }
    }

    private void StandStill()
    {
        _cluster.Clock.Set(Now + s_pause);
        for (var i = 0; i < FrontEnds; i++)
        {
            if (_upkeepAt[i] < Now) _upkeepAt[i] = Now;
        }
    }

    private async Task RenewAsync(WatchingFrontEnd frontEnd)
    {
        foreach (var user in _users)
        {
            Device[] held = [.. user.Open.Where(device => device.FrontEndId == frontEnd.Id)];
            foreach (var device in held.Where(device => !device.IsIdle)) device.ActiveAt = Now;
            if (held.Length == 0) continue;
            ConnectionLease[] leases = [.. held.Select(device => device.ToLease(Now))];
            var before = Moment();
            await _cluster.Client.GetGrain<IUserGrain>(user.Id).RenewAsync(leases, frontEnd.Reference);
            foreach (var lease in leases) user.Invisibility.Renewed(lease, Now);
            Note(before);
        }
    }

    private static async Task RefreshAsync(WatchingFrontEnd frontEnd)
    {
        foreach (var userId in frontEnd.Watched) await frontEnd.RefreshAsync(userId);
    }

    private async Task DeliverLateAsync(int count)
    {
        for (; count > 0; count--)
        {
            if (_late.Count == 0) return;
            var (_, send) = _late[0];
            _late.RemoveAt(0);
            await send();
        }
    }

    private async Task RenewedAsync(TrueUser user, ConnectionLease lease, Func<Task> send)
    {
        var before = Moment();
        await send();
        user.Invisibility.Renewed(lease, Now);
        Note(before);
    }

    private async Task EndedAsync(TrueUser user, ConnectionLease lease, ConnectionEnd how, Func<Task> send)
    {
        var before = Moment();
        await send();
        user.Invisibility.Ended(lease, how, Now);
        Note(before);
    }

    private (bool[] IsHere, bool[] IsInvisible) Moment() =>
        (Array.ConvertAll(_users, user => user.IsHere(Now)), Array.ConvertAll(_users, user => user.Invisibility.IsCertain(Now)));

    /// <summary>
    /// Within one moment a grain may act before or after the events of that moment: only a state that holds both before and after it is
    /// certain, and only if no earlier note of the same moment contradicts it.
    /// </summary>
    private void Note((bool[] IsHere, bool[] IsInvisible) before)
    {
        var after = Moment();
        var now = Now.ToUnixTimeMilliseconds();
        var same = _history.Count > 0 && _history[^1].FromMs == now ? _history[^1] : (now, before.IsHere, before.IsInvisible);
        _history.Add((
            now,
            [.. Enumerable.Range(0, Users).Select(i => before.IsHere[i] && after.IsHere[i] && same.Item2[i])],
            [.. Enumerable.Range(0, Users).Select(i => before.IsInvisible[i] && after.IsInvisible[i] && same.Item3[i])]));
    }
}
