using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Pulse.Grains.Identity;
using Pulse.Grains.Tests.Storage;
using Pulse.Grains.Tests.Users;
using Xunit;

namespace Pulse.Grains.Tests.Identity;

public sealed class SessionSweepTests(PostgresStores stores) : IClassFixture<PostgresStores>
{
    [Fact]
    public async Task OneSweep_RemovesAllExpiredSessions()
    {
        var user = TestUsers.New();
        await stores.Users.InsertAsync(user, account: null);
        await stores.ExecuteAsync(
            $"""
            INSERT INTO sessions (id, session_token, user_id, expires)
            SELECT gen_random_uuid(), sha256(i::text::bytea), '{user.Id}', now() - interval '1 day' FROM generate_series(1, 2500) AS i;
            INSERT INTO verification_tokens (identifier, token, expires)
            SELECT 'ada@sweep.test', sha256(i::text::bytea), now() - interval '1 day' FROM generate_series(1, 2500) AS i
            """);
        var time = new FakeTimeProvider(TimeProvider.System.GetUtcNow());
        using var sweep = new SessionSweep(stores.Sessions, stores.Tokens, time, NullLogger<SessionSweep>.Instance);
        await sweep.StartAsync(CancellationToken.None);

        // More than the interval only while the timer has yet to start.
        while (await CountAsync() == 5_000)
        {
            time.Advance(TimeSpan.FromMinutes(5));
            await Task.Yield();
        }

        await Eventually.AsyncEqual(0L, CountAsync);
        await sweep.StopAsync(CancellationToken.None);
    }

    private async Task<long> CountAsync() =>
        (long)(await stores.ExecuteAsync("SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM verification_tokens)"))!;
}
