namespace Pulse.Grains.Presence;

/// <summary>
/// What a new activation of a user's grain knows of an earlier one. Its silo may have died with leases of this user that front ends are about to renew. Until they
/// have, the user's key stands for those leases: one connection that closes meanwhile need not be the last, and an invisible user stays invisible.
/// </summary>
internal sealed class PredecessorCheck(
    Guid userId, IPresenceIndex index, ConnectionLeases leases, SiloPauseGuard pause, PresenceOptions options, TimeProvider time)
{
    private bool _isDone;
    private bool _keysMayBeLost;

    // Set when Redis does not answer, or when its answer may be wrong. By then every live lease has been renewed here.
    private DateTimeOffset? _unsureUntil;

    /// <summary>Whether the question has been answered.</summary>
    public bool IsDone => _isDone;

    /// <summary>Whether a device that makes the user invisible may be connected without this activation's knowledge.</summary>
    public bool IsUnsure(DateTimeOffset now) => (!_isDone || _keysMayBeLost) && (_unsureUntil is null || now < _unsureUntil);

    /// <summary>Asks whether an earlier activation left the user's key, unless that is known. Redis being unavailable is no failure: asked again next time.</summary>
    public async Task AskAsync()
    {
        if (_isDone) return;
        try
        {
            await LearnAsync(await index.IsOnlineAsync(userId), mayAskAgain: true);
        }
        catch (PresenceIndexUnavailableException)
        {
            BeUnsure();
        }
    }

    /// <summary>Takes what setting the key has answered.</summary>
    /// <param name="wasThere">Whether the key was there before; <see langword="null"/> when Redis did not answer.</param>
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
            // Asked again, Redis would answer with the key that this activation has just set.
            await LearnAsync(found, mayAskAgain: false);
        }
        catch (PresenceIndexUnavailableException)
        {
            BeUnsure();
        }
    }

    private async Task LearnAsync(bool wasThere, bool mayAskAgain)
    {
        if (wasThere)
        {
            var invisible = await index.IsInvisibleAsync(userId);
            leases.AssumeOnline(time.GetUtcNow(), options.TakeoverWindow, invisible);
            _isDone = true;
            return;
        }

        // After a pause the silo that should have kept the key may have been this one: the key may have expired beside live leases.
        _keysMayBeLost = !pause.MayExpireLeases;
        if (_keysMayBeLost) BeUnsure();
        _isDone = !_keysMayBeLost || !mayAskAgain;
    }

    // What the activation shows meanwhile is provisional, and a watcher keeps the last state that it received.
    private void BeUnsure() => _unsureUntil ??= time.GetUtcNow() + options.LeaseDuration;
}
