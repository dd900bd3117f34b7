using Pulse.Grains.Identity;

namespace Pulse.Grains.Tests.Identity;

/// <summary>The table in memory, which counts its calls and can be unavailable. The contract tests describe its other behaviour.</summary>
internal sealed class MemorySessionStore : ISessionStore
{
    public Dictionary<Guid, SessionRow> Rows { get; } = [];

    public bool IsAway { get; set; }

    /// <summary>Writes take effect, but their answers are lost.</summary>
    public bool LosesAnswers { get; set; }

    public bool HasUser { get; set; } = true;

    public int Reads { get; private set; }

    public int Writes { get; private set; }

    public Task<IReadOnlyList<SessionRow>> ListAsync(Guid userId, CancellationToken cancellationToken = default)
    {
        Reads++;
        return Answer<IReadOnlyList<SessionRow>>(() => [.. Rows.Values.Where(row => row.UserId == userId)]);
    }

    public Task<bool> InsertAsync(SessionRow session, IReadOnlyCollection<Guid> ended, CancellationToken cancellationToken = default) => Write(() =>
    {
        if (!HasUser) return false;
        foreach (var id in ended) Rows.Remove(id);
        Rows[session.Id] = session;
        return true;
    });

    public Task<bool> SlideAsync(SessionRow session, CancellationToken cancellationToken = default) => Write(() =>
    {
        if (!Rows.ContainsKey(session.Id)) return false;
        Rows[session.Id] = session;
        return true;
    });

    public Task<bool> DeleteAsync(Guid userId, Guid sessionId, CancellationToken cancellationToken = default) => Write(() => Rows.Remove(sessionId));

    public Task DeleteAllAsync(Guid userId, CancellationToken cancellationToken = default) => Write(() => Remove(row => row.UserId == userId));

    public Task DeleteExpiredAsync(Guid userId, DateTimeOffset now, CancellationToken cancellationToken = default) =>
        Write(() => Remove(row => row.UserId == userId && row.ExpiresAt <= now));

    public Task<int> SweepAsync(DateTimeOffset now, int limit, CancellationToken cancellationToken = default) => Write(() => Remove(row => row.ExpiresAt <= now));

    private int Remove(Func<SessionRow, bool> which)
    {
        var gone = Rows.Values.Where(which).ToList();
        foreach (var row in gone) Rows.Remove(row.Id);
        return gone.Count;
    }

    private Task<T> Write<T>(Func<T> write)
    {
        Writes++;
        if (!LosesAnswers) return Answer(write);
        write();
        return Task.FromException<T>(new StoreUnavailableException("the test has lost the answer"));
    }

    private Task<T> Answer<T>(Func<T> answer) =>
        IsAway ? Task.FromException<T>(new StoreUnavailableException("the test has taken it away")) : Task.FromResult(answer());
}
