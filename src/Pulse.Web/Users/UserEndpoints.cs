using Microsoft.AspNetCore.Http.HttpResults;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Presence;
using Pulse.Web.Profiles;
using Pulse.Web.Sessions;
using Pulse.Web.SignIn;
using Pulse.Web.Silos;
using Pulse.Web.Tokens;

namespace Pulse.Web.Users;

/// <summary>Profiles: the caller's own, and other users' public part.</summary>
internal static class UserEndpoints
{
    private const int MaxSubjects = 200;

    private const string NeedsSession = "Use a session of Pulse: only its sign-in shows that the user asks for it.";

    /// <summary>
    /// Maps <c>POST /auth/sync</c>, <c>/auth/me</c>, <c>GET /users/{id}</c> and <c>GET /users?subject=a,b</c>. All require a caller. Sync
    /// requires a token, and the last one a trusted issuer's.
    /// </summary>
    public static void MapUsers(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("").WithTags("Users").RequireAuthorization().PathId("id", "User id.");
        // The profile comes from a token's claims, which a cookie lacks.
        group.MapPost("/auth/sync", SyncAsync).RequireAuthorization(policy =>
            policy.AddAuthenticationSchemes(BearerHandler.Scheme).RequireAuthenticatedUser()).WithMetadata(new ChecksUserAccess())
            .WithSummary("Create or update the caller's user").Reads(typeof(ProfileSyncRequest), isRequired: false)
            .Refuses(ProblemTypes.Validation, ProblemTypes.EmailMissing, ProblemTypes.SignUpRefused, ProblemTypes.AccountExists,
                ProblemTypes.AccountTaken);
        group.MapGet("/auth/me", GetMeAsync).WithMetadata(new ChecksUserAccess()).WithSummary("Read the caller's profile");
        group.MapDelete("/auth/me", EraseMeAsync).WithSummary("Erase the caller")
            .WithDescription("Needs a session that was opened within the last 10 minutes.")
            .Refuses(ProblemTypes.Forbidden, ProblemTypes.SignInTooOld);
        group.MapGet("/auth/me/export", ExportMeAsync).WithSummary("Read all stored data about the caller")
            .WithDescription("Needs a session that was opened within the last 10 minutes.")
            .Refuses(ProblemTypes.Forbidden, ProblemTypes.SignInTooOld);
        group.MapGet("/users/{id}", GetUserAsync).WithSummary("Read a user's public profile")
            .Refuses(ProblemTypes.Validation, ProblemTypes.UserNotFound, ProblemTypes.TooManyLookups);
        group.MapGet("/users", FindBySubjectAsync).RequireAuthorization(policy =>
            policy.AddAuthenticationSchemes(BearerHandler.Scheme).RequireAuthenticatedUser())
            .WithSummary("Find the users of a trusted issuer's subjects")
            .WithDescription("Needs a token of that issuer. Unknown subjects are left out.")
            .QueryList("subject", $"Values of the tokens' sub, each of at most {Subjects.MaxLength} characters.", MaxSubjects)
            .Refuses(ProblemTypes.Validation, ProblemTypes.Forbidden, ProblemTypes.TooManyLookups);
    }

    private static async Task<Results<Ok<UserResponse>, Created<UserResponse>, ProblemHttpResult>> SyncAsync(
        HttpContext context, Caller caller, Callers callers, SignUpRule signUp, AccountNotices notices, GrainReferences<IUserGrain> users)
    {
        var body = await RequestBody.ReadAsync(context, UserRequestJson.Default.ProfileSyncRequest);
        if (body.Problem is { } unreadable) return unreadable;

        var errors = new ValidationErrors();
        var update = (body.Value ?? new ProfileSyncRequest()).ToUpdate(caller, callers.JoinsByEmail(caller), errors);
        if (errors.Any) return errors.ToProblem();

        // A Pulse token comes from a program with the signing key, which may therefore create users.
        var synced = caller.OwnUserId is { } userId
            ? await users[userId].SyncProfileAsync(update)
            : await callers.Account(caller).SyncProfileAsync(signUp.Apply(update) with { TokenIssuedAt = caller.TrustedTokenIssuedAt }, "token");
        if (synced.Profile is not { } user)
        {
            if (synced.Outcome == ProfileSyncOutcome.Disabled) return UserAccess.Refuse(context, ProblemTypes.UserDisabled);
            if (synced.Outcome == ProfileSyncOutcome.Erased) return UserAccess.Refuse(context, ProblemTypes.UserErased);
            context.Audit(AuditEvents.SyncRefused, caller.OwnUserId, caller.OwnSessionId, caller.Issuer, reason: SyncProblems.Reason(synced.Outcome));
            return SyncProblems.For(synced.Outcome);
        }

        if (synced.Outcome == ProfileSyncOutcome.Created) context.Audit(AuditEvents.UserCreated, user.Id, caller.OwnSessionId, caller.Issuer);
        await notices.NotifyOfJoinAsync(context.Request, synced, caller.Issuer, caller.OwnSessionId, caller.Issuer);
        if (synced.FormerEmail is { } former)
        {
            context.Audit(AuditEvents.AddressChanged, user.Id, caller.OwnSessionId, caller.Issuer, user.Email);
            await notices.NotifyAsync(context.Request, user with { Email = former }, AccountNoticeKind.AddressChanged, NoticeWords.Change(former, user.Email));
        }

        NeverStore(context);
        var response = UserResponse.From(user);
        return synced.Outcome == ProfileSyncOutcome.Created ? TypedResults.Created($"{context.Request.PathBase}/users/{user.Id:D}", response) : TypedResults.Ok(response);
    }

    private static async Task<Results<Ok<UserResponse>, ProblemHttpResult>> GetMeAsync(
        HttpContext context, SignedInUser caller, GrainReferences<IUserGrain> users, UserAccess access)
    {
        var user = await users[caller.Id].GetProfileAsync();
        if (caller.SessionId is null && await access.FindRefusalAsync(caller.Caller, caller.Id, user) is { } refusal) return UserAccess.Refuse(context, refusal);
        if (user is null) return ProblemTypes.NotSynced.ToResult();

        NeverStore(context);
        return TypedResults.Ok(UserResponse.From(user));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> EraseMeAsync(
        HttpContext context, SignedInUser user, UserErasure erasure, SignInService cookie, RecentSignIn recentSignIn)
    {
        if (user.SessionId is null) return context.Refuse(ProblemTypes.Forbidden, NeedsSession);
        if (!recentSignIn.IsRecent(user.Caller)) return context.Refuse(ProblemTypes.SignInTooOld);
        if (!await erasure.EraseAsync(context, user.Id, AuditEvents.UserErased, user.SessionId)) return ProblemTypes.NotSynced.ToResult();

        cookie.Forget(context);
        return TypedResults.NoContent();
    }

    private static async Task<Results<Ok<UserExport>, ProblemHttpResult>> ExportMeAsync(
        HttpContext context, SignedInUser user, UserExports exports, RecentSignIn recentSignIn)
    {
        if (user.SessionId is null) return context.Refuse(ProblemTypes.Forbidden, NeedsSession);
        if (!recentSignIn.IsRecent(user.Caller)) return context.Refuse(ProblemTypes.SignInTooOld);
        if (await exports.ReadAsync(user.Id) is not { } export) return ProblemTypes.NotSynced.ToResult();

        context.Audit(AuditEvents.UserExported);
        NeverStore(context);
        context.Response.Headers.ContentDisposition = "attachment; filename=\"pulse-export.json\"";
        return TypedResults.Ok(export);
    }

    private static async Task<Results<Ok<PublicUserResponse>, ProblemHttpResult>> GetUserAsync(
        string id, HttpContext context, Caller caller, LookupLimit lookups, GrainReferences<IUserGrain> users)
    {
        if (Caller.ParseUserId(id) is not { } userId)
        {
            var errors = new ValidationErrors();
            errors.Add("id", "The user id must be a hyphenated UUID.");
            return errors.ToProblem();
        }

        if (lookups.Spend(caller, 1) is > 0 and var retryAfter) return LookupLimit.Refuse(context, retryAfter);
        if (await users[userId].GetProfileAsync() is not { DisabledAt: null } user) return ProblemTypes.UserNotFound.ToResult();

        NeverStore(context);
        return TypedResults.Ok(PublicUserResponse.From(user));
    }

    // A trusted issuer may look up only its own subjects, because only its own accounts show which users it may know.
    private static async Task<Results<Ok<SubjectResponse[]>, ProblemHttpResult>> FindBySubjectAsync(
        HttpContext context, Caller caller, LookupLimit lookups, IGrainFactory grains)
    {
        if (caller.OwnUserId is not null) return context.Refuse(ProblemTypes.Forbidden, "Use a token of a trusted issuer: subjects are that issuer's.");

        string[] subjects = [.. context.Request.Query["subject"].SelectMany(parameter => (parameter ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries)).Distinct()];
        var errors = new ValidationErrors();
        if (subjects.Length is 0 or > MaxSubjects) errors.Add("subject", $"Give 1 to {MaxSubjects} subjects, separated by commas; there are {subjects.Length}.");
        if (!Array.TrueForAll(subjects, Subjects.IsUsable)) errors.Add("subject", $"A subject has at most {Subjects.MaxLength} characters, and no control characters.");
        if (errors.Any) return errors.ToProblem();

        if (lookups.Spend(caller, subjects.Length) is > 0 and var retryAfter) return LookupLimit.Refuse(context, retryAfter);

        NeverStore(context);
        var ids = await grains.GetGrain<IPeopleGrain>(0).FindBySubjectAsync(caller.Issuer, subjects);
        return TypedResults.Ok(subjects.Zip(ids).Where(found => found.Second is not null).Select(found => new SubjectResponse(found.First, found.Second!.Value)).ToArray());
    }

    // RFC 9111 section 5.2.2.5: personal data must not be stored in any cache, including a browser's own.
    private static void NeverStore(HttpContext context) => context.Response.Headers.CacheControl = "no-store";
}
