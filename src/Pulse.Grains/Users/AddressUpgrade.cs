using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Pulse.Grains.Accounts;
using Pulse.Identity;

namespace Pulse.Grains.Users;

/// <summary>Moves the addresses of rows from before 004_addresses.sql into the right column and spelling, once per database.</summary>
/// <remarks>
/// This is a program and not SQL because <see cref="EmailAddress"/> defines the spelling. It runs after the schema upgrade because older
/// silos must have stopped first (<see cref="UnprovenRows"/>). Several silos may run it at once, and an interrupted run is repeated,
/// because each row is written under its version.
/// </remarks>
internal sealed partial class AddressUpgrade(
    IUserStore users, IAccountStore accounts, UnprovenRows unproven, TimeProvider time, ILogger<AddressUpgrade> logger) : BackgroundService
{
    private const string Name = "addresses";
    private const int RowsAtOnce = 500;

    private static readonly TimeSpan s_interval = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (!await TryAsync(stoppingToken)) await Task.Delay(s_interval, time, stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Runs the upgrade unless the database records it as done. Rows that the database refuses are left for the next start.</summary>
    /// <returns><see langword="false"/> if the caller must retry: an older silo is still running, or the database is unavailable.</returns>
    internal async Task<bool> TryAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (await users.IsUpgradedAsync(Name, cancellationToken)) return true;
            if (!unproven.MayBeNull) return false;

            // Accounts first, so that a user who signs in meanwhile finds the account.
            var refused = await MoveAccountsAsync(cancellationToken) + await MoveUsersAsync(cancellationToken);
            if (refused > 0) return true;
            await users.SetUpgradedAsync(Name, cancellationToken);
            LogDone();
            return true;
        }
        catch (StoreUnavailableException e)
        {
            LogRetried(e.Message);
            return false;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // A page that cannot be read. The silo serves all users nevertheless.
            LogGivenUp(e);
            return true;
        }
    }

    private async Task<int> MoveUsersAsync(CancellationToken cancellationToken)
    {
        var refused = 0;
        IReadOnlyList<(UserRow Row, bool IsMisplaced)> page;
        for (var after = Guid.Empty; (page = await users.ListAddressesAsync(after, RowsAtOnce, cancellationToken)).Count > 0; after = page[^1].Row.Id)
        {
            foreach (var (row, isMisplaced) in page)
            {
                var email = EmailAddress.TryNormalize(row.Email, out var normalized) ? normalized : row.Email;
                if ((isMisplaced || email != row.Email) && !await TryMoveAsync(row.Id, () => MoveAsync(row with { Email = email }, cancellationToken), cancellationToken)) refused++;
            }
        }

        return refused;
    }

    // Another program's trigger or constraint may refuse a row.
    private async Task<bool> TryMoveAsync(Guid userId, Func<Task> moveAsync, CancellationToken cancellationToken)
    {
        try
        {
            await moveAsync();
            return true;
        }
        catch (Exception e) when (e is not StoreUnavailableException && !cancellationToken.IsCancellationRequested)
        {
            LogRefused(userId, e.GetType().Name);
            return false;
        }
    }

    // A row that changed after the read was written by this version and is therefore correct, or it is read again after the next start.
    private async Task MoveAsync(UserRow wanted, CancellationToken cancellationToken)
    {
        var outcome = await users.UpdateProfileAsync(wanted, cancellationToken: cancellationToken);
        if (outcome == UserWrite.Stale && await users.FindAsync(wanted.Id, cancellationToken) is { } current && current.Version == wanted.Version)
            outcome = await users.UpdateProfileAsync(wanted, cancellationToken: cancellationToken);
        if (outcome != UserWrite.EmailTaken) return;

        // Two users have proven one mailbox in two spellings. The user whose row has the normalized spelling keeps the proof.
        LogCollision(wanted.Id);
        await users.UpdateProfileAsync(wanted with { EmailVerified = false }, cancellationToken: cancellationToken);
    }

    private async Task<int> MoveAccountsAsync(CancellationToken cancellationToken)
    {
        var refused = 0;
        IReadOnlyList<(string Mailbox, Guid UserId)> page;
        for (var after = ""; (page = await accounts.ListMailboxesAsync(after, RowsAtOnce, cancellationToken)).Count > 0; after = page[^1].Mailbox)
        {
            foreach (var (mailbox, userId) in page)
            {
                if (!EmailAddress.TryNormalize(mailbox, out var normalized) || normalized == mailbox) continue;
                var isMoved = await TryMoveAsync(userId, async () =>
                {
                    if (!await accounts.RenameMailboxAsync(mailbox, normalized, cancellationToken)) LogCollision(userId);
                }, cancellationToken);
                if (!isMoved) refused++;
            }
        }

        return refused;
    }

    [LoggerMessage(1320, LogLevel.Information, "Every e-mail address is in its column and spelling of 004_addresses.sql.")]
    private partial void LogDone();

    [LoggerMessage(1321, LogLevel.Warning, "Addresses of older rows could not be moved; this is retried: {Reason}")]
    private partial void LogRetried(string reason);

    [LoggerMessage(1322, LogLevel.Warning, "The e-mail address of user {UserId} is another user's in another spelling. The other user keeps it; this one keeps signing in by its other accounts.")]
    private partial void LogCollision(Guid userId);

    [LoggerMessage(1323, LogLevel.Warning, "The database refuses to change the e-mail address of user {UserId} ({Reason}). The row stays as it is until the next start.")]
    private partial void LogRefused(Guid userId, string reason);

    [LoggerMessage(1324, LogLevel.Error, "Addresses of older rows could not be moved. The next start tries again.")]
    private partial void LogGivenUp(Exception exception);
}
