using System.Security.Cryptography;
using System.Text;
using Pulse.Grains.Storage;
using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary>The rules of one user's sessions: when they slide, when they end, how many there may be. One caller at a time.</summary>
/// <remarks>
/// Its memory is exact as long as it is the user's only writer. Orleans may run a second activation for a moment after a crash, and a silo that was
/// declared dead may not know so yet; an end that the other one wrote would then be unknown here. So what was read counts for <see cref="FreshFor"/>
/// and is read again after it, one indexed read per user in that time at most; a row that somebody removes by hand is noticed as soon. While the
/// database is away nothing can be ended either, so what is known goes on counting for <see cref="KnownFor"/>: presence and REST outlive a failover
/// of the database. Past that, not knowing is not taken for "live".
/// </remarks>
internal sealed class UserSessions(Guid userId, ISessionStore store, SignInOptions options, TimeProvider time)
{
    /// <summary>Most live sessions of one user. The one unused for longest makes room.</summary>
    public const int MaxLive = 50;

    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan KnownFor = TimeSpan.FromMinutes(5);

    // What the table's checks allow.
    private const int MaxDeviceLength = 400;
    private const int MaxAddressLength = 100;

    private List<SessionRow>? _rows;
    private long _readAt;
    private long? _awayAt;

    private List<Guid> _ended = [];

    /// <summary>A write's outcome is unknown: memory is not to be trusted before the next read.</summary>
    public bool IsInDoubt { get; private set; }

    /// <summary>No session is known.</summary>
    public bool IsEmpty => _rows is not { Count: > 0 };

    /// <summary>The sessions that have been found to be ended since this was last asked, so that their sockets can be closed.</summary>
    public Guid[] TakeEnded()
    {
        if (_ended.Count == 0) return [];
        Guid[] ended = [.. _ended];
        _ended = [];
        return ended;
    }

    /// <summary>Reads again after a write whose outcome is unknown. While the database is away it stays unknown.</summary>
    public async Task ResolveDoubtAsync()
    {
        try
        {
            if (IsInDoubt) await LoadAsync();
        }
        catch (StoreUnavailableException)
        {
            // To be tried again.
        }
    }

    /// <summary>Begins a session; <see langword="null"/> when the user has no row. The same secret again is the same session: a repeated call.</summary>
    public async Task<SignInSession?> StartAsync(SessionStart start)
    {
        if (start.TokenHash.Length != SHA256.HashSizeInBytes) throw new ArgumentException("A session's secret comes as its SHA-256.", nameof(start));

        var rows = await LoadAsync();
        if (Find(rows, start.TokenHash) is { } repeated) return ToSession(repeated);

        var now = Instant.Truncate(time.GetUtcNow());
        var session = new SessionRow(
            Guid.CreateVersion7(now), userId, start.TokenHash, now, now, now + options.SessionLifetime,
            Cut(start.Device, MaxDeviceLength), Cut(start.Address, MaxAddressLength), start.Account);
        var ended = ToMakeRoom(rows, now);
        if (!await WriteAsync(() => store.InsertAsync(session, ended))) return null;

        rows.RemoveAll(row => ended.Contains(row.Id));
        _ended.AddRange(ended);
        rows.Add(session);
        return ToSession(session);
    }

    public async Task<SignInSession?> AuthenticateAsync(byte[] tokenHash, string? address)
    {
        var rows = await LoadAsync();
        var now = Instant.Truncate(time.GetUtcNow());
        if (Find(rows, tokenHash) is not { } session || session.ExpiresAt <= now) return null;
        return now - session.LastUsedAt < options.SlideInterval ? ToSession(session) : await SlideAsync(rows, session, now, address);
    }

    public async Task<bool> IsLiveAsync(Guid sessionId)
    {
        var rows = await LoadAsync();
        return rows.Exists(row => row.Id == sessionId && row.ExpiresAt > time.GetUtcNow());
    }

    public async Task<SignInSession[]> ListAsync()
    {
        var rows = await LoadAsync();
        var now = time.GetUtcNow();
        return
        [
            .. from row in rows
               where row.ExpiresAt > now
               orderby row.LastUsedAt descending, row.CreatedAt descending
               select ToSession(row),
        ];
    }

    public async Task<bool> EndAsync(Guid sessionId)
    {
        // Known first: the database answers a repeated statement, whose first try had committed, with "no such row".
        var known = await IsLiveAsync(sessionId);
        var found = await WriteAsync(() => store.DeleteAsync(userId, sessionId));
        _rows!.RemoveAll(row => row.Id == sessionId);
        if (known || found) _ended.Add(sessionId);
        return known || found;
    }

    public async Task EndAllAsync()
    {
        var rows = await LoadAsync();
        await WriteAsync(async () =>
        {
            await store.DeleteAllAsync(userId);
            return true;
        });
        _ended.AddRange(rows.Select(row => row.Id));
        rows.Clear();
        _readAt = time.GetTimestamp();
    }

    public async Task EndOfAccountAsync(string account, Guid? except)
    {
        var rows = await LoadAsync();
        foreach (var id in rows.Where(row => row.Account is null ? row.Id != except : row.Account == account).Select(row => row.Id).ToList())
            await EndAsync(id);
    }

    private async Task<SignInSession?> SlideAsync(List<SessionRow> rows, SessionRow session, DateTimeOffset now, string? address)
    {
        if (IsAway()) return ToSession(session);

        var cap = session.CreatedAt + SignInOptions.MaxLifetime;
        var wanted = now + options.SessionLifetime < cap ? now + options.SessionLifetime : cap;
        var slid = session with
        {
            LastUsedAt = now,
            ExpiresAt = wanted > session.ExpiresAt ? wanted : session.ExpiresAt,
            Address = Cut(address, MaxAddressLength) ?? session.Address,
        };
        try
        {
            // Without its row the session has been ended, by whomever.
            var alive = await store.SlideAsync(slid);
            rows.Remove(session);
            if (!alive)
            {
                _ended.Add(session.Id);
                return null;
            }
        }
        catch (StoreUnavailableException)
        {
            // It is live all the same, and a later use slides it.
            _awayAt = time.GetTimestamp();
            return ToSession(session);
        }

        rows.Add(slid);
        return ToSession(slid) with { Renewed = slid.ExpiresAt > session.ExpiresAt };
    }

    private async ValueTask<List<SessionRow>> LoadAsync()
    {
        if (_rows is not null)
        {
            var age = time.GetElapsedTime(_readAt);
            if ((age < FreshFor && !IsInDoubt) || (age < KnownFor && IsAway())) return _rows;
        }

        try
        {
            var before = _rows;
            _rows = [.. await store.ListAsync(userId)];

            if (before is not null) NoteGone(before, _rows);
            (_readAt, _awayAt, IsInDoubt) = (time.GetTimestamp(), null, false);
            if (before is null) await RemoveExpiredAsync(_rows);
        }
        catch (StoreUnavailableException) when (_rows is not null && time.GetElapsedTime(_readAt) < KnownFor)
        {
            _awayAt = time.GetTimestamp();
        }

        return _rows!;
    }

    // Ended by a write of ours whose answer was lost, by another activation, or by hand. One that ran out has no socket: its tokens ran out with it.
    private void NoteGone(List<SessionRow> before, List<SessionRow> after)
    {
        var now = time.GetUtcNow();
        _ended.AddRange(before.Where(row => row.ExpiresAt > now && !after.Exists(other => other.Id == row.Id)).Select(row => row.Id));
    }

    private async Task RemoveExpiredAsync(List<SessionRow> rows)
    {
        var now = time.GetUtcNow();
        if (rows.RemoveAll(row => row.ExpiresAt <= now) == 0) return;
        try
        {
            await store.DeleteExpiredAsync(userId, now);
        }
        catch (StoreUnavailableException)
        {
            // They count no longer; the sweep removes them.
        }
    }

    private async Task<bool> WriteAsync(Func<Task<bool>> write)
    {
        try
        {
            return await write();
        }
        catch
        {
            IsInDoubt = true;
            throw;
        }
    }

    private static List<Guid> ToMakeRoom(List<SessionRow> rows, DateTimeOffset now)
    {
        var live = rows.Where(row => row.ExpiresAt > now).OrderBy(row => row.LastUsedAt).ThenBy(row => row.CreatedAt).Select(row => row.Id).ToList();
        return [.. rows.Where(row => row.ExpiresAt <= now).Select(row => row.Id), .. live.Take(Math.Max(0, live.Count + 1 - MaxLive))];
    }

    // While the database was away a moment ago, callers need not wait for it one after the other.
    private bool IsAway() => _awayAt is { } at && time.GetElapsedTime(at) < FreshFor;

    private static SessionRow? Find(List<SessionRow> rows, byte[] tokenHash) =>
        rows.Find(row => CryptographicOperations.FixedTimeEquals(row.TokenHash, tokenHash));

    // A header may hold what PostgreSQL does not take as text (U+0000), and a cut may halve a surrogate pair.
    private static string? Cut(string? text, int length)
    {
        if (text is null) return null;
        var cut = text.Length <= length ? text : text[..length];
        var clean = string.Concat(cut.EnumerateRunes().Select(rune => Rune.IsControl(rune) ? " " : rune.ToString())).Trim();
        return clean.Length == 0 ? null : clean;
    }

    private static SignInSession ToSession(SessionRow row) => new()
    {
        Id = row.Id,
        CreatedAt = row.CreatedAt,
        LastUsedAt = row.LastUsedAt,
        ExpiresAt = row.ExpiresAt,
        Device = row.Device,
        Address = row.Address,
    };
}
