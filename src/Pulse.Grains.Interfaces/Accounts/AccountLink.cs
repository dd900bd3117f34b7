namespace Pulse.Accounts;

/// <summary>Outcome of linking or unlinking an external account.</summary>
public enum AccountLinkOutcome
{
    /// <summary>The account belongs to the user, newly or as before.</summary>
    Linked = 0,

    /// <summary>The account belongs to another user. The database is unchanged.</summary>
    TakenByAnother = 1,

    /// <summary>The account was unlinked from the user.</summary>
    Unlinked = 2,

    /// <summary>The user has no such account.</summary>
    NotLinked = 3,

    /// <summary>The account remains linked, because it is the user's only way to sign in.</summary>
    LastWayIn = 4,

    /// <summary>The user's accounts have changed since the link was begun. The database is unchanged.</summary>
    OutOfDate = 5,
}
