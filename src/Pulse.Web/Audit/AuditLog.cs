using System.Diagnostics.Metrics;
using Pulse.Web.Auth;
using Pulse.Web.Http;

namespace Pulse.Web.Audit;

/// <summary>Writes security events to the log, under the category <see cref="Category"/>, one line each.</summary>
/// <remarks>
/// The fields' names are permanent. Values are free of tokens, secrets and e-mail addresses. The log's formatter adds the time in UTC.
/// </remarks>
internal sealed partial class AuditLog : IDisposable
{
    /// <summary>The category, at Information.</summary>
    public const string Category = "Pulse.Audit";

    private readonly ILogger _logger;
    private readonly Callers _callers;
    private readonly MailboxHash _mailboxes;
    private readonly AuditCounts _counts;
    private readonly Counter<long> _events;

    public AuditLog(ILoggerFactory loggers, Callers callers, MailboxHash mailboxes, TimeProvider time, IMeterFactory meters)
    {
        _logger = loggers.CreateLogger(Category);
        _callers = callers;
        _mailboxes = mailboxes;
        _counts = new(time, Write);
        _events = meters.Create(Category).CreateCounter<long>("pulse.audit.events", "{event}", "Security events, each one, however many share a line of the log.");
    }

    /// <summary>Writes an event.</summary>
    /// <param name="context">The request. <see langword="null"/> for an event without a request.</param>
    /// <param name="kind">The kind of event.</param>
    /// <param name="userId">The user. By default the request's caller, if the event has a user.</param>
    /// <param name="sessionId">The session. By default the caller's, if the event has one and the user was omitted.</param>
    /// <param name="provider">The way to sign in. By default a trusted issuer's name, for its callers.</param>
    /// <param name="email">The mailbox. The line contains a keyed hash of it.</param>
    /// <param name="reason">A word from a fixed list instead of a client's text.</param>
    public void Write(
        HttpContext? context, AuditEvent kind, Guid? userId = null, Guid? sessionId = null, string? provider = null, string? email = null,
        string? reason = null)
    {
        var isAboutCaller = (kind.Fields & (AuditFields.User | AuditFields.Session | AuditFields.Caller)) != 0;
        var caller = isAboutCaller && context is not null ? _callers.TryRead(context.User) : null;
        if (userId is null)
        {
            userId = caller?.OwnUserId;
            sessionId ??= caller?.OwnSessionId;
        }

        // The user id of a trusted issuer's caller is unknown here until its account is looked up.
        if (caller is { OwnUserId: null }) provider ??= caller.Issuer;
        var line = new AuditLine(
            kind, userId, sessionId, context is null ? null : ClientAddress.Of(context), provider,
            email is null ? null : _mailboxes.Of(email), reason);
        // Fixed names only: reason, client and provider would multiply the series.
        _events.Add(1, new("pulse.audit.event", kind.Name), new("pulse.audit.outcome", kind.Outcome == AuditOutcome.Success ? "success" : "refused"));
        if (!kind.IsCounted || _counts.IsFirst(line)) Write(line, 1);
    }

    /// <summary>Writes the remaining counts.</summary>
    public void Dispose() => _counts.Dispose();

    private void Write(AuditLine line, int count) => LogEvent(
        line.Kind.Name, line.Kind.Outcome, line.Reason, line.UserId, line.SessionId, line.Client, line.Provider, line.Mailbox, count);

    [LoggerMessage(5000, LogLevel.Information,
        "{EventName}: {Outcome} reason={Reason} user={UserId} session={SessionId} client={Client} provider={Provider} mailbox={Mailbox} "
        + "count={Count}")]
    private partial void LogEvent(
        string eventName, AuditOutcome outcome, string? reason, Guid? userId, Guid? sessionId, string? client, string? provider, string? mailbox,
        int count);
}
