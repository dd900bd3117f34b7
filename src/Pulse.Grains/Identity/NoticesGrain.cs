using Pulse.Grains.Storage;
using Pulse.Identity;

namespace Pulse.Grains.Identity;

/// <summary>One user's notices. Key: the user id. The grain is stateless because the table holds the notices.</summary>
[GrainType("notices")]
internal sealed class NoticesGrain(INoticeStore store, TimeProvider time) : Grain, INoticesGrain
{
    private static readonly TimeSpan s_lifetime = TimeSpan.FromDays(90);

    // Limit of the table's check constraint.
    private const int MaxDetailLength = 400;

    public Task AddAsync(AccountNoticeKind kind, string? detail) => store.AddAsync(
        this.GetPrimaryKey(),
        new() { Kind = kind, Detail = detail?.Length > MaxDetailLength ? detail[..MaxDetailLength] : detail, At = Instant.Truncate(time.GetUtcNow()) });

    public async Task<AccountNotice[]> ListAsync()
    {
        var since = time.GetUtcNow() - s_lifetime;
        return [.. (await store.ListAsync(this.GetPrimaryKey())).Where(notice => notice.At > since)];
    }
}
