namespace Pulse.Web.Audit;

/// <summary>The fields of an event's lines, besides the event, its outcome, the time and the count.</summary>
[Flags]
internal enum AuditFields
{
    None = 0,

    /// <summary>The id of the event's user.</summary>
    User = 1,

    /// <summary>The id of the session.</summary>
    Session = 2,

    /// <summary>The client's IP address, as in the list of sessions.</summary>
    Client = 4,

    /// <summary>The way to sign in: a provider's name, <c>email</c>, or a trusted issuer.</summary>
    Provider = 8,

    /// <summary>The mailbox as a keyed hash. See <see cref="MailboxHash"/>.</summary>
    Mailbox = 16,

    /// <summary>A fixed word with the reason or detail.</summary>
    Reason = 32,

    /// <summary>As <see cref="User"/> and <see cref="Session"/> if the request has them. Otherwise absent.</summary>
    Caller = 64,
}
