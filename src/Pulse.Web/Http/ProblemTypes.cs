using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;

namespace Pulse.Web.Http;

/// <summary>A kind of error answer (RFC 9457). Callers may rely on the type and the status, but never on the texts.</summary>
/// <param name="Type">Permanent URI. It is an identifier instead of a page.</param>
/// <param name="Status">HTTP status.</param>
/// <param name="Title">Constant description.</param>
/// <param name="Advice">The remedy, unless the occurrence has its own text.</param>
internal sealed record ProblemType(string Type, int Status, string Title, string Advice)
{
    /// <summary>The last part of <see cref="Type"/>, such as <c>not-found</c>.</summary>
    public string Name => Type[(Type.LastIndexOf(':') + 1)..];

    /// <summary>The problem's body. <paramref name="errors"/> (member → messages) are for input that broke a rule.</summary>
    public ProblemDetails ToDetails(string? detail = null, IDictionary<string, string[]>? errors = null)
    {
        var problem = errors is null ? new ProblemDetails() : new HttpValidationProblemDetails(errors);
        (problem.Type, problem.Status, problem.Title, problem.Detail) = (Type, Status, Title, detail ?? Advice);
        return problem;
    }

    /// <summary>The problem as an endpoint's answer.</summary>
    public ProblemHttpResult ToResult(string? detail = null, IDictionary<string, string[]>? errors = null) =>
        TypedResults.Problem(ToDetails(detail, errors));

    /// <summary>Adds the header of a 401 that names the token as the reason (RFC 6750 section 3).</summary>
    public void Challenge(HttpResponse response) =>
        response.Headers.WWWAuthenticate = $"Bearer error=\"invalid_token\", error_description=\"{Title}\"";

    /// <summary>Answers with the problem outside an endpoint.</summary>
    public Task WriteAsync(HttpContext context, string? detail = null) => context.RequestServices.GetRequiredService<IProblemDetailsService>()
        .WriteAsync(new() { HttpContext = context, ProblemDetails = ToDetails(detail) }).AsTask();
}

/// <summary>All kinds of error answers of Pulse.</summary>
internal static class ProblemTypes
{
    private const string Prefix = "urn:pulse:problem:";

    public static readonly ProblemType Validation = new(Prefix + "validation", 400, "The request breaks a rule.",
        "Correct what 'errors' names and send the request again.");

    public static readonly ProblemType BadRequest = new(Prefix + "bad-request", 400, "The request cannot be understood.",
        "Correct the request; sent again as it is, it fails again.");

    public static readonly ProblemType EmailMissing = new(Prefix + "email-missing", 400, "A new user needs an e-mail address.",
        "Send 'email' in the body, or use a token that has an email claim.");

    public static readonly ProblemType TokenMissing = new(Prefix + "token-missing", 401, "An access token is needed.",
        "Send an access token in the Authorization header: Bearer, a space, the token.");

    public static readonly ProblemType TokenInvalid = new(Prefix + "token-invalid", 401, "The access token is not accepted.",
        "Get a new access token and try again.");

    public static readonly ProblemType TicketInvalid = new(Prefix + "ticket-invalid", 401, "The ticket is not accepted.",
        "A ticket opens one connection, within 60 seconds. Get a new one from POST /auth/hub-ticket.");

    public static readonly ProblemType SignedOut = new(Prefix + "signed-out", 401, "You are signed out.",
        "The session was ended or has expired. Sign in again.");

    public static readonly ProblemType UserDisabled = new(Prefix + "user-disabled", 401, "This user is disabled.",
        "Nothing was done. Ask the operator of this site to enable the user.");

    public static readonly ProblemType UserErased = new(Prefix + "user-erased", 401, "The user of this token was deleted.",
        "Nothing was done. Sign in again for a new token; it creates a new user.");

    public static readonly ProblemType AdminKeyWrong = new(Prefix + "admin-key-wrong", 401, "The admin key is missing or wrong.",
        "Send the value of the setting Pulse:Admin:Key as Authorization: Bearer <key>.");

    public static readonly ProblemType ConnectionNotFound = new(Prefix + "connection-not-found", 404, "The user has no such connection.",
        "It may have ended already; GET /admin/users/{id}/connections lists those that live.");

    public static readonly ProblemType NoSession = new(Prefix + "no-session", 400, "The access token belongs to no session.",
        "There is nothing to end: this token ends by itself when it expires.");

    public static readonly ProblemType CrossSite = new(Prefix + "cross-site", 403, "The request does not come from a page of this site.",
        "Send it from a page of this site, or with an access token in the Authorization header.");

    public static readonly ProblemType FormOutdated = new(Prefix + "form-outdated", 403, "The form is out of date.",
        "It was opened before you signed in or out, or it is not of this site; nothing was changed. Go back, reload the page and try again.");

    public static readonly ProblemType SessionNotFound = new(Prefix + "session-not-found", 404, "There is no such session.",
        "It may have ended already; GET /auth/sessions lists those that live.");

    public static readonly ProblemType Forbidden = new(Prefix + "forbidden", 403, "This is not allowed.",
        "Sign in as a user that has the right to do this.");

    public static readonly ProblemType SignInTooOld = new(Prefix + "sign-in-too-old", 403, "This needs a sign-in of the last 10 minutes.",
        "Nothing was changed. Sign in again, then try again.");

    public static readonly ProblemType SignUpRefused = new(Prefix + "sign-up-refused", 403, "This site takes no new user for this account.",
        "Nothing was changed. Ask the operator of this site for access, or sign in with the account that you used here before.");

    public static readonly ProblemType NotFound = new(Prefix + "not-found", 404, "There is nothing here.",
        "Check the address.");

    public static readonly ProblemType UserNotFound = new(Prefix + "user-not-found", 404, "There is no such user.",
        "Check the user id; users exist once they have called POST /auth/sync.");

    public static readonly ProblemType NotSynced = new(Prefix + "not-synced", 404, "The token is valid, but its user does not exist yet.",
        "Call POST /auth/sync with this token first; it creates the user.");

    public static readonly ProblemType MethodNotAllowed = new(Prefix + "method-not-allowed", 405, "This address does not take that method.",
        "Use a method that the Allow header names.");

    public static readonly ProblemType AccountExists = new(Prefix + "account-exists", 409, "The proven e-mail address belongs to another user.",
        "Nothing was changed. Sign in the way that this user signed in before, and link this account on the dashboard.");

    public static readonly ProblemType AccountTaken = new(Prefix + "account-taken", 409, "The external account belongs to another user.",
        "Nothing was changed. Sign in with this account directly.");

    public static readonly ProblemType AccountNotLinked = new(Prefix + "account-not-linked", 404, "There is no such account.",
        "Ask GET /auth/accounts for those that there are.");

    public static readonly ProblemType LastWayIn = new(Prefix + "last-way-in", 409, "This account is the only way to sign in.",
        "Nothing was changed. Link another account first, then take this one away.");

    public static readonly ProblemType TooManyRequests = new(Prefix + "too-many-requests", 429, "There were too many requests.",
        "Wait as many seconds as Retry-After says, then try again.");

    public static readonly ProblemType TooManyLookups = new(Prefix + "too-many-lookups", 429, "Too many users were looked up.",
        "Wait as many seconds as Retry-After says, then try again.");

    public static readonly ProblemType TooLarge = new(Prefix + "too-large", 413, "The request body is too large.",
        "Send at most 16 KB, and to /conversations at most 64 KB.");

    public static readonly ProblemType UnsupportedMediaType = new(Prefix + "unsupported-media-type", 415, "The body's content type is not accepted.",
        "Send JSON in UTF-8, with Content-Type: application/json.");

    public static readonly ProblemType Internal = new(Prefix + "internal", 500, "Something went wrong here.",
        "Try again; if it goes on, report the traceId.");

    public static readonly ProblemType Unavailable = new(Prefix + "unavailable", 503, "A part of Pulse is not available.",
        "Nothing is wrong with the request. Try again after the seconds that Retry-After says.");

    public static readonly ProblemType InvalidArgument = new(Prefix + "invalid-argument", 400, "A value breaks a rule.",
        "Nothing was written. Correct the value and send the request again.");

    public static readonly ProblemType ConversationNotFound = new(Prefix + "not-found", 404, "There is no such conversation or message.",
        "Check the id and the seq. GET /conversations lists your conversations.");

    public static readonly ProblemType NotAMember = new(Prefix + "not-a-member", 403, "You are no member of this channel.",
        "Join it first: PUT /conversations/{id}/members/{your user id}.");

    public static readonly ProblemType ReadOnly = new(Prefix + "read-only", 403, "Your role allows reading only.",
        "Nothing was written. Ask a moderator of the conversation for the role member.");

    public static readonly ProblemType NotYours = new(Prefix + "not-yours", 403, "Your role does not allow this.",
        "Nothing was written. Ask the sender of the message or a moderator of the conversation.");

    public static readonly ProblemType Closed = new(Prefix + "closed", 403, "The conversation is closed.",
        "Nothing was written. Create another conversation.");

    public static readonly ProblemType CannotMessage = new(Prefix + "cannot-message", 403, "You cannot reach this user here.",
        "Nothing was written. A repetition gets the same answer.");

    public static readonly ProblemType LastOwner = new(Prefix + "last-owner", 409, "The conversation needs an owner.",
        "Nothing was written. Make another member owner first, or close the conversation.");

    public static readonly ProblemType NotForDirect = new(Prefix + "not-for-direct", 409, "Direct conversations have no such operation.",
        "Nothing was written. Block the user, or create a group.");

    public static readonly ProblemType ClientIdReused = new(Prefix + "client-id-reused", 409, "The client id was used with another content.",
        "Nothing was written. Choose a new random UUID for each message and each conversation.");

    public static readonly ProblemType PredecessorMissing = new(Prefix + "predecessor-missing", 409, "The message to come after is not there.",
        "Nothing was written. Send the message that 'after' names first, then this one again.");

    public static readonly ProblemType EditConflict = new(Prefix + "edit-conflict", 409, "The message was edited meanwhile.",
        "Nothing was written. Read the message again, and send its editedSeq as 'edited'.");

    public static readonly ProblemType TooManyMembers = new(Prefix + "too-many-members", 409, "The conversation is full.",
        "Nothing was written. Remove a member first.");

    public static readonly ProblemType TooLong = new(Prefix + "too-long", 413, "The text is too long.",
        "Nothing was written. Send a shorter text, or several messages.");

    public static readonly ProblemType TooManyMessages = new(Prefix + "too-many-messages", 429, "There were too many messages.",
        "Nothing was written. Wait as many seconds as Retry-After says, then send the message again with the same client id.");

    public static readonly ProblemType TooManyOpen = new(Prefix + "too-many-open", 429, "This connection has too many conversations open.",
        "Close one first.");

    public static readonly ProblemType ChatUnavailable = new(Prefix + "unavailable", 503, "A part of Pulse is not available.",
        "Nothing was written. Try again after the seconds that Retry-After says.");

    public static readonly ProblemType UnknownOutcome = new(Prefix + "unknown-outcome", 503, "It is not known whether this was written.",
        "Send the request again. If it has a client id, send the same one: if it was written, the answer is the first one.");

    public static readonly ProblemType UserNotSynced = new(Prefix + "user-not-synced", 404, "The token is valid, but its user does not exist yet.",
        "Call POST /auth/sync with this token first; it creates the user.");

    private static readonly Dictionary<int, ProblemType> s_byStatus =
        new[] { BadRequest, TokenMissing, Forbidden, NotFound, MethodNotAllowed, TooLarge, UnsupportedMediaType, TooManyRequests, Internal, Unavailable }
            .ToDictionary(type => type.Status);

    /// <summary>The kind for a bare status of the framework. For a status without a kind, RFC 9457's <c>about:blank</c>.</summary>
    public static ProblemType ForStatus(int status) =>
        s_byStatus.GetValueOrDefault(status) ?? new("about:blank", status, Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status),
            status < 500 ? BadRequest.Advice : Internal.Advice);
}
