using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Keys;
using Pulse.Web.Profiles;
using Pulse.Web.Sessions;
using Pulse.Web.Users;

namespace Pulse.Web.Admin;

/// <summary>A user as operators see it. Times are UTC.</summary>
/// <param name="Id">User id.</param>
/// <param name="Email">Normalized address.</param>
/// <param name="EmailVerified">Whether the address is proven.</param>
/// <param name="Name">Display name.</param>
/// <param name="Avatar">Picture URL, or <see langword="null"/>.</param>
/// <param name="CreatedAt">When the user was created.</param>
/// <param name="LastSeen">End of the last connection, UTC. <see langword="null"/> if the user never connected.</param>
/// <param name="DisabledAt">Time since which the user is disabled. <see langword="null"/> for an enabled user.</param>
internal sealed record AdminUserResponse(
    Guid Id, string Email, bool EmailVerified, string Name, string? Avatar,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset CreatedAt,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset? LastSeen,
    [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset? DisabledAt)
{
    /// <summary>The answer for a stored profile.</summary>
    public static AdminUserResponse From(UserProfile user) =>
        new(user.Id, user.Email, user.EmailVerified, user.Name, user.Avatar, user.CreatedAt, user.LastSeenAt, user.DisabledAt);
}

/// <summary>A page of users.</summary>
/// <param name="Items">At most 100.</param>
/// <param name="After">The value of <c>?after=</c> for the next page. <see langword="null"/> after the last one.</param>
internal sealed record AdminUsersResponse(AdminUserResponse[] Items, Guid? After);

/// <summary>A rotation of the key that signs Pulse's tokens.</summary>
/// <param name="Kid">The new key's id.</param>
/// <param name="SignsFrom">When it begins to sign, UTC.</param>
internal sealed record KeyRotationResponse(string Kid, [property: JsonConverter(typeof(UtcTimeConverter))] DateTimeOffset SignsFrom);

/// <summary>Operators' actions on users: find, disable, erase, export, end sessions and connections.</summary>
internal static class AdminEndpoints
{
    private const int PageSize = 100;

    /// <summary>Adds the admin key and the services of the routes.</summary>
    public static void AddAdmin(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<AdminOptions>().BindConfiguration(AdminOptions.SectionName).ValidateOnStart();
        builder.Services.AddSingleton<IValidateOptions<AdminOptions>, AdminOptionsValidator>();
        builder.Services.AddSingleton<AdminKey>();
        builder.Services.AddJson(AdminJson.Default);
    }

    /// <summary>Maps <c>/admin/*</c> if a key is set. Otherwise every such address is 404.</summary>
    public static void MapAdmin(this WebApplication app)
    {
        if (string.IsNullOrEmpty(app.Services.GetRequiredService<IOptions<AdminOptions>>().Value.Key)) return;

        var group = app.MapGroup("/admin").WithTags("Admin").AddEndpointFilter(app.Services.GetRequiredService<AdminKey>())
            .AddEndpointFilter<AdminAudit>()
            .WithMetadata(new DescribedSecurity(DescribedSecurity.AdminKey))
            .Refuses(ProblemTypes.AdminKeyWrong, ProblemTypes.TooManyRequests)
            .PathId("id", "User id.");
        group.MapGet("/users", FindAsync).WithSummary("Find users")
            .WithDescription($"Give at most one parameter. A page has {PageSize} users, by id.")
            .QueryId("id", "Finds one user.")
            .Query("email", "Finds users by address. The user who has proven it comes first, then all who only state it.").QueryId("after", "The after of the previous page.")
            .Refuses(ProblemTypes.Validation);
        group.MapPost("/keys/rotate", RotateKeysAsync).WithSummary("Rotate the key that signs access tokens")
            .Refuses(ProblemTypes.BadRequest)
            .QueryBoolean("atOnce", "Whether the new key signs at once, before all verifiers know it. Default false.")
            .QueryBoolean("withdrawOlder", "Whether the older keys are withdrawn, so that their tokens are refused. Default false.");
        var user = group.MapGroup("/users/{id:guid}");
        user.MapGet("", GetAsync).WithSummary("Read a user").Refuses(ProblemTypes.UserNotFound);
        user.MapDelete("", EraseAsync).WithSummary("Erase a user").Refuses(ProblemTypes.UserNotFound);
        user.MapGet("/export", ExportAsync).WithSummary("Read all stored data about a user").Refuses(ProblemTypes.UserNotFound);
        user.MapPost("/disable", (Guid id, HttpContext context, UserErasure users) => SetDisabledAsync(id, true, context, users))
            .WithSummary("Disable a user").WithDescription("Ends all sessions and connections of the user.")
            .Refuses(ProblemTypes.UserNotFound);
        user.MapPost("/enable", (Guid id, HttpContext context, UserErasure users) => SetDisabledAsync(id, false, context, users))
            .WithSummary("Enable a user").Refuses(ProblemTypes.UserNotFound);
        user.MapGet("/sessions", ListSessionsAsync).WithSummary("List a user's sessions").Refuses(ProblemTypes.UserNotFound);
        user.MapDelete("/sessions/{sid}", EndSessionAsync).WithSummary("End a user's session").PathId("sid", "Session id.")
            .Refuses(ProblemTypes.SessionNotFound);
        user.MapGet("/connections", ListConnectionsAsync).WithSummary("List a user's live connections");
        user.MapDelete("/connections/{cid}", CloseConnectionAsync).WithSummary("Close a user's connection")
            .Path("cid", "SignalR's connection id.")
            .Refuses(ProblemTypes.ConnectionNotFound);
    }

    private static async Task<Results<Ok<AdminUsersResponse>, ProblemHttpResult>> FindAsync(
        string? id, string? email, string? after, HttpContext context, IGrainFactory grains)
    {
        var errors = new ValidationErrors();
        if (new[] { id, email, after }.Count(given => given is not null) > 1) errors.Add("id", "Give one of id, email and after.");
        var wantedId = ParseId(id, "id", errors);
        var wantedAfter = ParseId(after, "after", errors);
        string? address = null;
        if (email is not null && !EmailAddress.TryNormalize(email, out address)) errors.Add("email", ProfileRules.EmailMessage);
        if (errors.Any) return errors.ToProblem();

        var people = grains.GetGrain<IPeopleGrain>(0);
        UserProfile[] users =
            wantedId is { } userId ? await grains.GetGrain<IUserGrain>(userId).GetProfileAsync() is { } user ? [user] : []
            : address is not null ? await people.FindByEmailAsync(address)
            : await people.ListAfterAsync(wantedAfter ?? Guid.Empty);
        context.Audit(AuditEvents.AdminRead, wantedId, email: address, reason: "list");
        var isWhole = wantedId is not null || address is not null || users.Length < PageSize;
        return TypedResults.Ok(new AdminUsersResponse(Array.ConvertAll(users, AdminUserResponse.From), isWhole ? null : users[^1].Id));
    }

    private static async Task<Results<Ok<AdminUserResponse>, ProblemHttpResult>> GetAsync(Guid id, HttpContext context, IGrainFactory grains)
    {
        if (await grains.GetGrain<IUserGrain>(id).GetProfileAsync() is not { } user) return NoSuchUser();
        context.Audit(AuditEvents.AdminRead, id, reason: "user");
        return TypedResults.Ok(AdminUserResponse.From(user));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> EraseAsync(Guid id, HttpContext context, UserErasure users)
    {
        return await users.EraseAsync(context, id, AuditEvents.AdminErased) ? TypedResults.NoContent() : NoSuchUser();
    }

    private static async Task<Results<Ok<UserExport>, ProblemHttpResult>> ExportAsync(Guid id, HttpContext context, UserExports exports)
    {
        if (await exports.ReadAsync(id) is not { } export) return NoSuchUser();
        context.Audit(AuditEvents.AdminRead, id, reason: "export");
        return TypedResults.Ok(export);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> SetDisabledAsync(Guid id, bool disabled, HttpContext context, UserErasure users)
    {
        return await users.SetDisabledAsync(context, id, disabled) ? TypedResults.NoContent() : NoSuchUser();
    }

    private static async Task<Results<Ok<SessionResponse[]>, ProblemHttpResult>> ListSessionsAsync(Guid id, HttpContext context, IGrainFactory grains)
    {
        if (await grains.GetGrain<IUserGrain>(id).GetProfileAsync() is null) return NoSuchUser();
        var sessions = await grains.GetGrain<IUserSessionsGrain>(id).ListAsync();
        context.Audit(AuditEvents.AdminRead, id, reason: "sessions");
        return TypedResults.Ok(Array.ConvertAll(sessions, session => SessionResponse.From(session, current: null)));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> EndSessionAsync(Guid id, string sid, HttpContext context, IGrainFactory grains)
    {
        if (Caller.ParseUuid(sid) is not { } sessionId || !await EndAsync(sessionId))
            return ProblemTypes.SessionNotFound.ToResult("The user has no such session. It may have ended already.");
        context.Audit(AuditEvents.AdminSessionEnded, id, sessionId, reason: AuditReasons.Committed);
        return TypedResults.NoContent();

        Task<bool> EndAsync(Guid sessionId) =>
            context.AuditUnknownAsync(AuditEvents.AdminSessionEnded, id, sessionId, () => grains.GetGrain<IUserSessionsGrain>(id).EndAsync(sessionId));
    }

    // The user may have no row, because a Pulse token may connect before the first POST /auth/sync.
    private static async Task<Ok<ConnectionResponse[]>> ListConnectionsAsync(Guid id, HttpContext context, IGrainFactory grains)
    {
        var connections = await grains.GetGrain<IUserGrain>(id).ListConnectionsAsync();
        context.Audit(AuditEvents.AdminRead, id, reason: "connections");
        return TypedResults.Ok(Array.ConvertAll(connections, ConnectionResponse.From));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> CloseConnectionAsync(Guid id, string cid, HttpContext context, IGrainFactory grains)
    {
        var found = await context.AuditUnknownAsync(
            AuditEvents.AdminConnectionClosed, id, sessionId: null, () => grains.GetGrain<IUserGrain>(id).CloseConnectionAsync(cid));
        if (!found) return ProblemTypes.ConnectionNotFound.ToResult();
        context.Audit(AuditEvents.AdminConnectionClosed, id, reason: AuditReasons.Committed);
        return TypedResults.NoContent();
    }

    private static async Task<Results<Ok<KeyRotationResponse>, ProblemHttpResult>> RotateKeysAsync(
        bool? atOnce, bool? withdrawOlder, HttpContext context, TokenKeys keys)
    {
        var rotation = await context.AuditUnknownAsync(
            AuditEvents.AdminKeysRotated, userId: null, sessionId: null, () => keys.RotateAsync(atOnce ?? false, withdrawOlder ?? false));
        context.Audit(AuditEvents.AdminKeysRotated, reason: rotation.KeyId);
        return TypedResults.Ok(new KeyRotationResponse(rotation.KeyId, rotation.SignsFrom));
    }

    private static ProblemHttpResult NoSuchUser() => ProblemTypes.UserNotFound.ToResult("Check the user id; GET /admin/users finds users by address.");

    private static Guid? ParseId(string? text, string parameter, ValidationErrors errors)
    {
        if (text is null) return null;
        if (Caller.ParseUserId(text) is { } id) return id;
        errors.Add(parameter, "A user id must be a hyphenated UUID.");
        return null;
    }
}
