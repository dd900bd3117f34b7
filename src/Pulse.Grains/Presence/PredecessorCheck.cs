namespace Pulse.Grains.Presence;

/// <summary>
/// Checks for an earlier activation of a user's grain. Its silo may have died with leases of this user that front ends are about to renew.
/// Until they have renewed, the user's key represents those leases: a connection that closes meanwhile may not be the last, and an
/// invisible user remains invisible.
/// </summary>
internal sealed class PredecessorCheck(
    Guid userId, IPresenceIndex index, ConnectionLeases leases, SiloPauseGuard pause, PresenceOptions options, TimeProvider time)
{
    private bool _isDone;
    private bool _keysMayBeLost;

    // Set when Redis is unavailable, or when its answer may be wrong. At this time every live lease has been renewed here.
    private DateTimeOffset? _unsureUntil;

    /// <summary>Whether the check is complete.</summary>
    public bool IsDone => _isDone;

    /// <summary>Whether a device that makes the user invisible may be connected without having renewed at this activation.</summary>
    public bool IsUnsure(DateTimeOffset now) => (!_isDone || _keysMayBeLost) && (_unsureUntil is null || now < _unsureUntil);

    /// <summary>
    /// Reads whether an earlier activation left the user's key, unless the answer is known. If Redis is unavailable, the next call repeats
    /// the check.
    /// </summary>
    public async Task AskAsync()
    {
        if (_isDone) return;
        try
        {
            await ApplyKeyStateAsync(await index.IsOnlineAsync(userId), mayAskAgain: true);
        }
        catch (PresenceIndexUnavailableException)
        {
            BeUnsure();
        }
    }

    /// <summary>Uses the answer of the command that set the key.</summary>
    /// <param name="wasThere">Whether the key existed before. <see langword="null"/> if Redis is unavailable.</param>
    public async Task TakeAsync(bool? wasThere)
    {
        if (_isDone) return;
        if (wasThere is not { } found)
        {
            BeUnsure();
            return;
        }

        try
        {
            // A second read would find the key that this activation has just set.
            await ApplyKeyStateAsync(found, mayAskAgain: false);
        }
        catch (PresenceIndexUnavailableException)
        {
            BeUnsure();
        }
    }

    private async Task ApplyKeyStateAsync(bool wasThere, bool mayAskAgain)
    {
        if (wasThere)
        {
            var invisible = await index.IsInvisibleAsync(userId);
            leases.AssumeOnline(time.GetUtcNow(), options.TakeoverWindow, invisible);
            _isDone = true;
            return;
        }

        // After a pause this silo may be the one that should have renewed the key, so the key may have expired although leases are live.
        _keysMayBeLost = !pause.MayExpireLeases;
        if (_keysMayBeLost) BeUnsure();
        _isDone = !_keysMayBeLost || !mayAskAgain;
    }

    // The activation's state is provisional meanwhile, and a watcher keeps the last state that it received.
    private void BeUnsure() => _unsureUntil ??= time.GetUtcNow() + options.LeaseDuration;
}
