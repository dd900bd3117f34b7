using System.Security.Cryptography;
using System.Text;
using Pulse.Grains.Storage;
using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary>The rules of one user's sessions: extension, end, and maximum number. The caller makes one call at a time.</summary>
/// <remarks>
/// The memory is exact as long as this object is the user's only writer. Orleans may run a second activation for a moment after a crash,
/// and a silo that was declared dead may not know so yet, so the other activation's deletions would be unknown here. Rows in memory are
/// therefore valid for <see cref="FreshFor"/> and then read again, which costs at most one indexed read per user in that time. A row that
/// an operator deletes is noticed within the same time. While the database is unavailable a session cannot be ended either, so rows in
/// memory remain valid for <see cref="StaleReadLimit"/>, and presence and REST survive a failover of the database. After that time the calls
/// fail, because a session that cannot be looked up must never count as live.
/// </remarks>
internal sealed class UserSessions(Guid userId, ISessionStore store, SignInSessionOptions options, TimeProvider time)
{
    /// <summary>Maximum live sessions of one user. The session that was unused for longest is ended to make room.</summary>
    public const int MaxLive = 50;

    public static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan StaleReadLimit = TimeSpan.FromMinutes(5);

    // Limits of the table's check constraints.
    private const int MaxDeviceLength = 400;
    private const int MaxAddressLength = 100;

    private List<SessionRow>? _rows;
    private long _readAt;
    private long? _awayAt;

    private List<Guid> _ended = [];

    /// <summary>Whether a write's outcome is unknown. The memory is then unreliable until the next read.</summary>
    public bool IsInDoubt { get; private set; }

    /// <summary>Whether the list of sessions in memory is empty.</summary>
    public bool IsEmpty => _rows is not { Count: > 0 };

    /// <summary>Returns the sessions found ended since the last call, so that the caller can close their sockets.</summary>
    public Guid[] TakeEnded()
    {
        if (_ended.Count == 0) return [];
        Guid[] ended = [.. _ended];
        _ended = [];
        return ended;
    }

    /// <summary>Reads again after a write with an unknown outcome. While the database is unavailable the outcome remains unknown.</summary>
    public async Task ResolveDoubtAsync()
    {
        try
        {
            if (IsInDoubt) await LoadAsync();
        }
        catch (StoreUnavailableException)
        {
            // The next call retries.
        }
    }

    /// <summary>
    /// Begins a session. <see langword="null"/> if the user has no row. A repeated call with the same secret returns the same session.
    /// </summary>
    public async Task<SignInSession?> StartAsync(SessionStart start)
    {
        if (start.TokenHash.Length != SHA256.HashSizeInBytes) throw new ArgumentException("A session's secret comes as its SHA-256.", nameof(start));

        var rows = await LoadAsync();
        if (Find(rows, start.TokenHash) is { } repeated) return ToSession(repeated);

        var now = Instant.Truncate(time.GetUtcNow());
        var session = new SessionRow(
            Guid.CreateVersion7(now), userId, start.TokenHash, Instant.Truncate(start.At ?? now), now, now + options.SessionLifetime,
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
        // Checked first, because a repeated statement whose first attempt had committed reports a missing row.
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

        var cap = session.CreatedAt + SignInSessionOptions.MaxLifetime;
        var wanted = now + options.SessionLifetime < cap ? now + options.SessionLifetime : cap;
        var slid = session with
        {
            LastUsedAt = now,
            ExpiresAt = wanted > session.ExpiresAt ? wanted : session.ExpiresAt,
            Address = Cut(address, MaxAddressLength) ?? session.Address,
        };
        try
        {
            // A missing row means that another writer has ended the session.
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
            // The session is still live, and a later use extends it.
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
            if ((age < FreshFor && !IsInDoubt) || (age < StaleReadLimit && IsAway())) return _rows;
        }

        try
        {
            var before = _rows;
            var stored = await store.ListAsync(userId);
            _rows = [.. stored.Where(row => !row.IsOrphaned)];

            if (before is not null) NoteGone(before, _rows);
            (_readAt, _awayAt, IsInDoubt) = (time.GetTimestamp(), null, false);
            await RemoveOrphansAsync([.. stored.Where(row => row.IsOrphaned)]);
            if (before is null) await RemoveExpiredAsync(_rows);
        }
        catch (StoreUnavailableException) when (_rows is not null && time.GetElapsedTime(_readAt) < StaleReadLimit)
        {
            _awayAt = time.GetTimestamp();
        }

        return _rows!;
    }

    // Such a session was ended by an own write with a lost answer, by another activation, or by an operator. Expired sessions are excluded,
    // because their tokens expired with them and so they have no socket.
    private void NoteGone(List<SessionRow> before, List<SessionRow> after)
    {
        var now = time.GetUtcNow();
        _ended.AddRange(before.Where(row => row.ExpiresAt > now && !after.Exists(other => other.Id == row.Id)).Select(row => row.Id));
    }

    // Their account was unlinked, or moved to another address. They are ended here too, because the request that unlinked the account may
    // have failed after its commit, and a sign-in may have started one at that moment.
    private async Task RemoveOrphansAsync(SessionRow[] orphans)
    {
        _ended.AddRange(orphans.Select(row => row.Id).Except(_ended));
        try
        {
            foreach (var row in orphans) await store.DeleteAsync(userId, row.Id);
        }
        catch (StoreUnavailableException)
        {
            // Orphans are ignored anyway, and the next read finds them again.
        }
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
            // Expired rows are ignored anyway, and the sweep deletes them.
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

    // If the database was unavailable a moment ago, callers are spared another wait for it.
    private bool IsAway() => _awayAt is { } at && time.GetElapsedTime(at) < FreshFor;

    private static SessionRow? Find(List<SessionRow> rows, byte[] tokenHash) =>
        rows.Find(row => CryptographicOperations.FixedTimeEquals(row.TokenHash, tokenHash));

    // A header may contain U+0000, which PostgreSQL rejects as text, and a cut may halve a surrogate pair.
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
