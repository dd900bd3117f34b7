namespace Pulse.Grains.Users;

/// <summary>What becomes of the mailbox account of an address that a write replaces by a proven one.</summary>
/// <remarks>
/// It moves to the new address, or is deleted where the user has another account and has not confirmed the new address, because the next
/// holder of the former mailbox must not sign in as this user. Sessions that the former mailbox opened end.
/// </remarks>
/// <param name="Former">The replaced address.</param>
/// <param name="SessionId">The session in which the user has confirmed the new address by a mail. It stays, and the new mailbox becomes an
/// account of the user in any case.</param>
internal sealed record MailboxMove(string Former, Guid? SessionId)
{
    /// <summary>Whether the user reads the mail of the new address.</summary>
    public bool IsConfirmed => SessionId is not null;
}
