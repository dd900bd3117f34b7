namespace Pulse.Accounts;

/// <summary>What became of linking or unlinking an external account.</summary>
public enum AccountLinkOutcome
{
    /// <summary>The account is the user's now, or was already.</summary>
    Linked = 0,

    /// <summary>The account is another user's. Nothing was written.</summary>
    TakenByAnother = 1,

    /// <summary>The account is the user's no longer.</summary>
    Unlinked = 2,

    /// <summary>The user has no such account.</summary>
    NotLinked = 3,

    /// <summary>It is the user's only account, and stays: without it they could not sign in again.</summary>
    LastWayIn = 4,

    /// <summary>The user's accounts are no longer those that the link was begun with. Nothing was written.</summary>
    OutOfDate = 5,
}
