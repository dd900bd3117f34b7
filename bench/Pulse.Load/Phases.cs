using System.Diagnostics;

namespace Pulse.Load;

/// <summary>The phases. Each writes its results to <paramref name="line"/>.</summary>
internal sealed class Phases(Options options, Loop loop, Meter meter, Dictionary<string, object> line)
{
    private readonly Connection[] _all = loop.Create(options.Connections, options.Jwt);
    private int _errors;
    private int _cursor;

    public void Connect()
    {
        meter.Settle(Idle);
        meter.Start();
        var (seconds, latency) = OpenAll(options.AtOnce);
        meter.Settle(Idle);
        meter.Stop();
        Report(latency.Count, seconds, latency);
    }

    public void Heartbeat()
    {
        OpenAll(options.AtOnce);
        meter.Settle(Idle);

        var latency = new Samples();
        long measureFrom = long.MaxValue, answered = 0;
        int limit = Math.Min(options.InFlight, _all.Length);
        bool sending = true;

        Connection? Next()
        {
            for (int i = 0; i < _all.Length; i++)
            {
                Connection c = _all[_cursor++ % _all.Length];
                if (c.Stage == Stage.Open && !c.AwaitsAnswer) return c;
            }
            return null;
        }
        void SendNext()
        {
            if (sending && Next() is { } c) loop.Heartbeat(c);
        }
        loop.Answered = c =>
        {
            if (c.Since >= measureFrom) latency.Add(c.Elapsed);
            answered++;
            SendNext();
        };
        loop.Closed = (c, _) =>
        {
            _errors++;
            if (!c.AwaitsAnswer) return;
            c.AwaitsAnswer = false;
            SendNext();
        };

        void Drive(double seconds)
        {
            for (long end = After(seconds); Stopwatch.GetTimestamp() < end;) loop.Poll(end);
        }

        for (int i = 0; i < limit; i++) SendNext();
        Drive(options.Warm);
        meter.Start();
        measureFrom = Stopwatch.GetTimestamp();
        long before = answered;
        Drive(options.Seconds);
        double took = Since(measureFrom);
        long ops = answered - before;
        meter.Stop();

        sending = false;
        for (long end = After(5); Stopwatch.GetTimestamp() < end && _all.Any(c => c.AwaitsAnswer);) loop.Poll(After(0.05));
        _errors += _all.Count(c => c.AwaitsAnswer);
        Report(ops, took, latency);
    }

    public void Hold()
    {
        meter.Settle(Idle);
        double idle = meter.ServerRssKiB();
        OpenAll(options.AtOnce);
        meter.Settle(Idle);
        double opened = meter.ServerRssKiB();

        var latency = new Samples();
        loop.Answered = c => latency.Add(c.Elapsed);
        meter.Start();
        long start = Stopwatch.GetTimestamp();
        Idle(options.Seconds, heartbeats: true);
        double took = Since(start);
        meter.Stop();
        double held = meter.ServerRssKiB();
        Idle(1);
        _errors += _all.Count(c => c.AwaitsAnswer && c.Stage == Stage.Open);
        line["rss_idle_mib"] = Meter.Round(idle / 1024);
        line["rss_opened_mib"] = Meter.Round(opened / 1024);
        line["rss_held_mib"] = Meter.Round(held / 1024);
        line["rss_kib_per_connection"] = Meter.Round((held - idle) / _all.Length);
        line["rss_total_kib_per_connection"] = Meter.Round(held / _all.Length);
        Report(latency.Count, took, latency);
    }

    public void Churn()
    {
        var latency = new Samples();
        var idle = new Queue<Connection>(_all);
        long cycles = 0;
        bool running = true;

        loop.Connected = c =>
        {
            latency.Add(c.Elapsed);
            loop.Leave(c);
        };
        loop.Closed = (c, polite) =>
        {
            if (polite) cycles++;
            else _errors++;
            idle.Enqueue(c);
            if (running) loop.Open(idle.Dequeue());
        };
        meter.Settle(Idle);
        meter.Start();
        long start = Stopwatch.GetTimestamp(), end = After(options.Seconds);
        for (int i = 0; i < options.AtOnce; i++) loop.Open(idle.Dequeue());
        while (Stopwatch.GetTimestamp() < end) loop.Poll(end);
        double took = Since(start);
        long ops = cycles;
        running = false;
        for (end = After(5); Stopwatch.GetTimestamp() < end && idle.Count < _all.Length;) loop.Poll(After(0.05));
        _errors += _all.Length - idle.Count;
        meter.Settle(Idle);
        meter.Stop();
        Report(ops, took, latency);
    }

    public void Storm()
    {
        OpenAll(options.AtOnce);
        meter.Settle(Idle);
        meter.Start();
        foreach (Connection c in _all) loop.Drop(c);
        int retries = 0;
        var (seconds, latency) = OpenAll(_all.Length, retry: () => retries++);
        meter.Settle(Idle);
        meter.Stop();
        line["all_connected_s"] = Meter.Round(seconds);
        line["retries"] = retries;
        Report(latency.Count, seconds, latency);
    }

    /// <summary>One user changes their status repeatedly, and the others watch. Latency is of each message, from the change on.</summary>
    public void Fanout()
    {
        OpenAll(options.AtOnce);
        var (user, watchers) = (_all[0], _all[1..]);
        var watch = Hub.Invoke("WatchPresence", $"[[\"{Jwt.UserId(0)}\"]]");
        var waiting = watchers.Length;
        loop.Answered = _ => waiting--;
        foreach (var watcher in watchers)
        {
            loop.Call(watcher, watch);
            while (watchers.Length - waiting < watcher.Index - options.AtOnce) loop.Poll(After(1));
        }

        WaitFor(() => waiting == 0);
        meter.Settle(Idle);

        var latency = new Samples();
        var (told, changedAt) = (0, 0L);
        loop.Answered = _ => { };
        loop.PresenceChanged = c =>
        {
            if (c == user) return;
            told++;
            latency.Add(Stopwatch.GetElapsedTime(changedAt).TotalMicroseconds);
        };
        meter.Start();
        var start = Stopwatch.GetTimestamp();
        for (var round = 0; round < options.Rounds; round++)
        {
            told = 0;
            changedAt = Stopwatch.GetTimestamp();
            loop.Call(user, Hub.Invoke("SetStatus", round % 2 == 0 ? "[\"busy\"]" : "[\"online\"]"));
            WaitFor(() => told >= watchers.Length);
            _errors += watchers.Length - told;
            Idle(0.5);
        }

        var took = Since(start);
        meter.Stop();
        Report(options.Rounds * watchers.Length, took, latency);
    }

    private void WaitFor(Func<bool> condition)
    {
        for (var end = After(10); !condition() && Stopwatch.GetTimestamp() < end;) loop.Poll(After(0.05));
    }

    /// <summary>
    /// Connects every user, so many at once. Latency is from the TCP connect to the connected event. A failed attempt is an error, unless
    /// there is <paramref name="retry"/>: then it begins anew, 0.1 s later, while its clock continues.
    /// </summary>
    private (double Seconds, Samples Latency) OpenAll(int atOnce, Action? retry = null)
    {
        var latency = new Samples();
        var since = new long[_all.Length];
        var opened = new bool[_all.Length];
        var again = new Queue<(Connection Connection, long Due)>();
        int next = 0, left = _all.Length;
        void OpenNext()
        {
            if (next == _all.Length) return;
            Connection c = _all[next++];
            since[c.Index] = Stopwatch.GetTimestamp();
            loop.Open(c);
        }
        void Done()
        {
            left--;
            OpenNext();
        }
        long NextRetry() => again.TryPeek(out var failed) ? failed.Due : long.MaxValue;
        loop.Connected = c =>
        {
            opened[c.Index] = true;
            latency.Add(Stopwatch.GetElapsedTime(since[c.Index]).TotalMicroseconds);
            Done();
        };
        loop.Closed = (c, _) =>
        {
            if (opened[c.Index]) _errors++;
            else if (retry is null)
            {
                _errors++;
                Done();
            }
            else
            {
                retry();
                again.Enqueue((c, After(0.1)));
            }
        };
        long start = Stopwatch.GetTimestamp(), end = After(options.Timeout);
        for (int i = 0; i < atOnce; i++) OpenNext();
        while (left > 0 && Stopwatch.GetTimestamp() < end)
        {
            while (NextRetry() <= Stopwatch.GetTimestamp()) loop.Open(again.Dequeue().Connection);
            loop.Poll(Math.Min(end, NextRetry()));
        }
        double took = Since(start);
        _errors += left;
        loop.Connected = _ => { };
        loop.Closed = (_, _) => _errors++;
        return (took, latency);
    }

    private void Idle(double seconds) => Idle(seconds, heartbeats: false);

    /// <summary>Stays connected as a quiet client does, with or without a heartbeat each 30 s.</summary>
    private void Idle(double seconds, bool heartbeats)
    {
        var heartbeat = new Pace(heartbeats ? _all.Length / 30.0 : 0);
        for (long end = After(seconds); Stopwatch.GetTimestamp() < end;)
        {
            while (heartbeat.Due(out _))
                if (_all[_cursor++ % _all.Length] is { Stage: Stage.Open, AwaitsAnswer: false } c) loop.Heartbeat(c);
            loop.Poll(Math.Min(end, heartbeat.NextAt));
        }
    }

    private void Report(double ops, double seconds, Samples latency)
    {
        line["errors"] = _errors;
        latency.Report(line);
        meter.Report(line, ops, seconds);
    }

    private static long After(double seconds) => Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
    private static double Since(long start) => Stopwatch.GetElapsedTime(start).TotalSeconds;
}

/// <summary>Turns at an even rate from now on, late ones included. A rate of 0 has no turns.</summary>
internal struct Pace(double perSecond)
{
    private readonly long start = Stopwatch.GetTimestamp();
    private readonly double step = Stopwatch.Frequency / perSecond;
    private long taken;

    public readonly long NextAt => perSecond > 0 ? start + (long)(taken * step) : long.MaxValue;

    public bool Due(out long at)
    {
        at = NextAt;
        if (Stopwatch.GetTimestamp() < at) return false;
        taken++;
        return true;
    }
}
