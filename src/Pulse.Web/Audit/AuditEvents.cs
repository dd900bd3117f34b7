using static Pulse.Web.Audit.AuditFields;
using static Pulse.Web.Audit.AuditOutcome;

namespace Pulse.Web.Audit;

/// <summary>Every kind of security event. docs/audit.md lists the same, and a test compares both.</summary>
internal static class AuditEvents
{
    // Signing in.

    /// <summary>A session began.</summary>
    public static readonly AuditEvent SignedIn = new("signed-in", Success, User | Session | AuditFields.Client | Provider);

    /// <summary>A session of a known user began in a browser that was new to that user.</summary>
    public static readonly AuditEvent SignedInOnNewDevice =
        new("signed-in-on-new-device", Success, User | Session | AuditFields.Client | Provider);

    /// <summary>
    /// A sign-in proved an account, and its user was refused: <c>account-exists</c>, <c>email-missing</c>, <c>sign-up-refused</c>,
    /// <c>not-accepted</c>, <c>signed-in-meanwhile</c>, <c>user-disabled</c>, <c>account-gone</c>.
    /// </summary>
    public static readonly AuditEvent SignInRefused =
        new("sign-in-refused", Refused, AuditFields.Client | Provider | Reason, IsCounted: true);

    /// <summary>A sign-in with a provider failed before it proved an account. The reason is the kind of the failure.</summary>
    public static readonly AuditEvent SignInFailed =
        new("sign-in-failed", Refused, AuditFields.Client | Provider | Reason, IsCounted: true);

    // Signing in by mail.

    /// <summary>A sign-in mail was requested.</summary>
    public static readonly AuditEvent MailAsked = new("mail-asked", Success, AuditFields.Client | Mailbox, IsCounted: true);

    /// <summary>A sign-in mail was handed to the mail server.</summary>
    public static readonly AuditEvent MailSent = new("mail-sent", Success, AuditFields.Client | Mailbox);

    /// <summary>A sign-in link or code was used: <c>link</c>, <c>code</c>.</summary>
    public static readonly AuditEvent MailUsed = new("mail-used", Success, AuditFields.Client | Mailbox | Reason);

    /// <summary>A sign-in link was refused: <c>used</c> (or invented), <c>expired</c>, <c>other-browser</c>, <c>unreadable</c>.</summary>
    public static readonly AuditEvent LinkRefused = new("link-refused", Refused, AuditFields.Client | Reason, IsCounted: true);

    /// <summary>A code from a sign-in mail was wrong, or its mail has expired.</summary>
    public static readonly AuditEvent CodeRefused = new("code-refused", Refused, AuditFields.Client | Mailbox, IsCounted: true);

    // Sessions.

    /// <summary>A user signed out.</summary>
    public static readonly AuditEvent SignedOut = new("signed-out", Success, User | Session | AuditFields.Client);

    /// <summary>A user ended all sessions.</summary>
    public static readonly AuditEvent SignedOutEverywhere = new("signed-out-everywhere", Success, User | AuditFields.Client | Caller);

    /// <summary>A user ended one session from another one. The line contains the ended session.</summary>
    public static readonly AuditEvent SessionEnded = new("session-ended", Success, User | Session | AuditFields.Client);

    /// <summary>A sign-in ended the browser's previous session. The line contains the ended session and its user.</summary>
    public static readonly AuditEvent SessionReplaced = new("session-replaced", Success, User | Session | AuditFields.Client);

    // Accounts and profiles.

    /// <summary>An account was linked to a user: at the user's request, or because it has proven the user's address.</summary>
    public static readonly AuditEvent AccountLinked = new("account-linked", Success, User | Session | AuditFields.Client | Provider);

    /// <summary>A link of an account was refused: <c>another-users</c>, <c>not-begun-here</c>.</summary>
    public static readonly AuditEvent AccountLinkRefused =
        new("account-link-refused", Refused, AuditFields.Client | Provider | Reason | Caller, IsCounted: true);

    /// <summary>An account was unlinked from a user.</summary>
    public static readonly AuditEvent AccountUnlinked = new("account-unlinked", Success, User | Session | AuditFields.Client | Provider);

    /// <summary>A user requested a confirmation of an address.</summary>
    public static readonly AuditEvent AddressChangeAsked =
        new("address-change-asked", Success, User | Session | AuditFields.Client | Mailbox);

    /// <summary>A user's address changed through a confirmation or a sign-in. The line contains the new one.</summary>
    public static readonly AuditEvent AddressChanged = new("address-changed", Success, User | AuditFields.Client | Mailbox | Caller);

    /// <summary>A confirmation of an address was refused: <c>not-good</c>, <c>another-users</c>.</summary>
    public static readonly AuditEvent AddressChangeRefused =
        new("address-change-refused", Refused, User | Session | AuditFields.Client | Reason, IsCounted: true);

    /// <summary>A user changed the profile on the dashboard. The line omits the values.</summary>
    public static readonly AuditEvent ProfileChanged = new("profile-changed", Success, User | Session | AuditFields.Client);

    /// <summary>A token or a sign-in created a user.</summary>
    public static readonly AuditEvent UserCreated = new("user-created", Success, User | AuditFields.Client | Provider | Caller);

    /// <summary>
    /// A token's caller was refused a user: <c>account-exists</c>, <c>account-taken</c>, <c>email-missing</c>, <c>sign-up-refused</c>.
    /// </summary>
    public static readonly AuditEvent SyncRefused =
        new("sync-refused", Refused, AuditFields.Client | Provider | Reason | Caller, IsCounted: true);

    /// <summary>
    /// A user was erased, at the user's own request: <c>committed</c>, or <c>outcome-unknown</c> if the database did not answer.
    /// </summary>
    public static readonly AuditEvent UserErased = new("user-erased", Success, User | Session | AuditFields.Client | Reason);

    /// <summary>A user exported all stored data about the user.</summary>
    public static readonly AuditEvent UserExported = new("user-exported", Success, User | Session | AuditFields.Client);

    // Operators' actions with the admin key.

    /// <summary>A request to <c>/admin</c> had a missing or wrong key.</summary>
    public static readonly AuditEvent AdminKeyRefused = new("admin-key-refused", Refused, AuditFields.Client, IsCounted: true);

    /// <summary>
    /// An operator listed users, or read one: <c>list</c>, <c>user</c>, <c>sessions</c>, <c>connections</c>, <c>export</c>. The line has the
    /// mailbox of a search by address.
    /// </summary>
    public static readonly AuditEvent AdminRead = new("admin-read", Success, AuditFields.Client | Mailbox | Reason | Caller);

    /// <summary>A request with the right admin key was refused. The reason is the kind of the problem, such as <c>user-not-found</c>.</summary>
    public static readonly AuditEvent AdminRefused = new("admin-refused", Refused, AuditFields.Client | Reason | Caller);

    /// <summary>An operator erased a user: <c>committed</c>, <c>outcome-unknown</c>.</summary>
    public static readonly AuditEvent AdminErased = new("admin-erased", Success, User | AuditFields.Client | Reason);

    /// <summary>An operator disabled a user: <c>committed</c>, <c>outcome-unknown</c>.</summary>
    public static readonly AuditEvent AdminDisabled = new("admin-disabled", Success, User | AuditFields.Client | Reason);

    /// <summary>An operator enabled a user: <c>committed</c>, <c>outcome-unknown</c>.</summary>
    public static readonly AuditEvent AdminEnabled = new("admin-enabled", Success, User | AuditFields.Client | Reason);

    /// <summary>An operator ended a session: <c>committed</c>, <c>outcome-unknown</c>.</summary>
    public static readonly AuditEvent AdminSessionEnded = new("admin-session-ended", Success, User | Session | AuditFields.Client | Reason);

    /// <summary>An operator closed a connection: <c>committed</c>, <c>outcome-unknown</c>.</summary>
    public static readonly AuditEvent AdminConnectionClosed = new("admin-connection-closed", Success, User | AuditFields.Client | Reason);

    // Refusals by Pulse.

    /// <summary>A valid token's user is disabled or erased: <c>user-disabled</c>, <c>user-erased</c>.</summary>
    public static readonly AuditEvent UserRefused = new("user-refused", Refused, AuditFields.Client | Reason | Caller, IsCounted: true);

    /// <summary>A request's token was refused. The reason is the kind of the failure.</summary>
    public static readonly AuditEvent TokenRefused = new("token-refused", Refused, AuditFields.Client | Reason, IsCounted: true);

    /// <summary>A request's session cookie was refused: <c>ended</c>, <c>forged</c>.</summary>
    public static readonly AuditEvent CookieRefused = new("cookie-refused", Refused, AuditFields.Client | Reason, IsCounted: true);

    /// <summary>
    /// A caller requested a forbidden action. The reason is the kind of the problem, such as <c>session-not-found</c> for another user's
    /// session.
    /// </summary>
    public static readonly AuditEvent AccessRefused = new("access-refused", Refused, AuditFields.Client | Reason | Caller, IsCounted: true);

    /// <summary>A page of another site sent a request through a user's browser: <c>cross-site</c>, <c>form-outdated</c>.</summary>
    public static readonly AuditEvent CrossSiteRefused =
        new("cross-site-refused", Refused, AuditFields.Client | Reason | Caller, IsCounted: true);

    /// <summary>A client or user exceeded a limit: <c>requests</c>, <c>mails</c>, <c>lookups</c> (over REST), <c>connects</c>.</summary>
    public static readonly AuditEvent RateLimited = new("rate-limited", Refused, AuditFields.Client | Reason | Caller, IsCounted: true);

    /// <summary>A caller was refused a hub connection: <c>not-synced</c>.</summary>
    public static readonly AuditEvent ConnectRefused =
        new("connect-refused", Refused, AuditFields.Client | Provider | Reason | Caller, IsCounted: true);

    /// <summary>A hub connection was cut off, because its client continued to send after its calls were refused.</summary>
    public static readonly AuditEvent ConnectionCutOff =
        new("connection-cut-off", Refused, User | AuditFields.Client | Caller, IsCounted: true);

    // Keys.

    /// <summary>An operator has rotated the key that signs Pulse's tokens. The reason is the new key's id, or <c>outcome-unknown</c>.</summary>
    public static readonly AuditEvent AdminKeysRotated = new("admin-keys-rotated", Success, AuditFields.Client | Reason);

    /// <summary>A front end added an element to the key ring. The reason is the element's name.</summary>
    public static readonly AuditEvent KeyRingChanged = new("key-ring-changed", Success, Reason);
}
