using Microsoft.Extensions.Options;
using Pulse.Accounts;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Audit;
using Pulse.Web.Http;
using Pulse.Web.Pages;
using Pulse.Web.Sessions;
using Pulse.Web.SignIn;
using Pulse.Web.Tokens;
using Pulse.Web.Users;

namespace Pulse.Web.Dashboard;

/// <summary>The dashboard and its forms, which work without script: post, change, redirect, show the result.</summary>
internal static class DashboardEndpoints
{
    private const string Path = "/dashboard";

    /// <summary>Maps <c>GET /dashboard</c> and the posts below it. Signing out is <c>/auth/signout</c>.</summary>
    public static void MapDashboard(this IEndpointRouteBuilder app)
    {
        var pages = app.MapGroup(Path).RequireSignIn().ExcludeFromDescription();
        pages.MapGet("", ShowAsync);
        pages.MapGet("/people", ListPeopleAsync);

        // The address of a form that came back with faults: a reload or a bookmark of it is no fault of the person.
        pages.MapGet("/profile", () => new SeeOtherResult(Path));

        var forms = pages.MapGroup("").RequireOwnForm();
        forms.MapPost("/profile", SaveProfileAsync);
        forms.MapPost("/devices/{id:guid}/end", EndDeviceAsync);
        forms.MapPost("/devices/others/end", EndOtherDevicesAsync);
        forms.MapPost("/accounts/unlink", UnlinkAsync);
        forms.MapPost("/erase", EraseAsync);
    }

    private static async Task<IResult> ShowAsync(HttpContext context, SignedInUser user, DashboardReader reader, string? done) =>
        await reader.ReadAsync(user, context) is { } view ? Show(view, notice: DashboardNotice.For(done)) : NoSuchUser();

    /// <summary>The list of people alone, for open pages.</summary>
    private static async Task<IResult> ListPeopleAsync(SignedInUser user, PeopleReader reader, CancellationToken stop) =>
        await reader.ReadAsync(user.Id, stop) is { } people
            ? Page.Of<PeopleList>(new() { [nameof(PeopleList.People)] = people })
            : ProblemTypes.NotFound.ToResult("People are not listed here: Pulse:Pages:ListPeople is off.");

    private static async Task<IResult> SaveProfileAsync(
        HttpContext context, SignedInUser user, DashboardReader reader, IGrainFactory grains, IOptions<PagesOptions> options)
    {
        var form = ProfileForm.From(await RequestForm.ReadAsync(context)) with { Hosts = [.. options.Value.PictureHosts] };
        if (form.HasFault)
        {
            return await reader.ReadAsync(user, context) is { } view
                ? Show(view, form, DashboardNotice.NotSaved)
                : NoSuchUser();
        }

        var saved = await grains.GetGrain<IUserGrain>(user.Id).SyncProfileAsync(form.ToUpdate());
        if (saved.Outcome == ProfileSyncOutcome.Updated) context.Audit(AuditEvents.ProfileChanged);
        return saved.Outcome == ProfileSyncOutcome.Updated ? Back(DashboardNotice.Profile) : NoSuchUser();
    }

    private static async Task<IResult> EndDeviceAsync(
        Guid id, HttpContext context, SignedInUser user, IGrainFactory grains, SignInService cookie)
    {
        if (user.SessionId == id)
        {
            await cookie.SignOutAsync(context);
            return new SeeOtherResult(SignInRedirect.SignInPath);
        }

        // A session that has ended meanwhile counts as success, because the result is the same.
        if (await grains.GetGrain<IUserSessionsGrain>(user.Id).EndAsync(id)) context.Audit(AuditEvents.SessionEnded, user.Id, id);
        else context.Audit(AuditEvents.AccessRefused, reason: "session-not-found");
        return Back(DashboardNotice.Device);
    }

    private static async Task<IResult> EndOtherDevicesAsync(HttpContext context, SignedInUser user, IGrainFactory grains)
    {
        var sessions = grains.GetGrain<IUserSessionsGrain>(user.Id);
        foreach (var session in await sessions.ListAsync())
            if (session.Id != user.SessionId && await sessions.EndAsync(session.Id)) context.Audit(AuditEvents.SessionEnded, user.Id, session.Id);
        return Back(DashboardNotice.OtherDevices);
    }

    private static async Task<IResult> UnlinkAsync(HttpContext context, SignedInUser user, AccountUnlinking unlinking, RecentSignIn recentSignIn)
    {
        if (!recentSignIn.IsRecent(user.Caller)) return SignInErrors.SignInTooOld(context);

        return Back(await unlinking.UnlinkAsync(context, user, (await RequestForm.ReadAsync(context))["account"].ToString()) switch
        {
            AccountLinkOutcome.Unlinked => DashboardNotice.Unlinked,
            AccountLinkOutcome.LastWayIn => DashboardNotice.LastWayIn,
            _ => DashboardNotice.NotLinked,
        });
    }

    private static async Task<IResult> EraseAsync(
        HttpContext context, SignedInUser user, IGrainFactory grains, UserErasure erasure, SignInService cookie, RecentSignIn recentSignIn)
    {
        if (!recentSignIn.IsRecent(user.Caller)) return SignInErrors.SignInTooOld(context);
        if (await grains.GetGrain<IUserGrain>(user.Id).GetProfileAsync() is not { } profile) return NoSuchUser();

        // Typed by the person, because a click can be a mistake and an erasure is irreversible.
        if (!EmailAddress.TryNormalize((await RequestForm.ReadAsync(context))["confirm"].ToString().Trim(), out var typed) || typed != profile.Email)
            return Back(DashboardNotice.NotErased);

        await erasure.EraseAsync(context, user.Id, AuditEvents.UserErased, user.SessionId);
        cookie.Forget(context);
        return new SeeOtherResult("/");
    }

    private static IResult Show(DashboardView view, ProfileForm? form = null, DashboardNotice? notice = null) => Page.Of<DashboardPage>(
        new()
        {
            [nameof(DashboardPage.View)] = view,
            [nameof(DashboardPage.Form)] = form,
            [nameof(DashboardPage.Notice)] = notice?.Text,
            [nameof(DashboardPage.NoticeIsBad)] = notice?.IsBad ?? false,
        },
        form is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);

    private static IResult NoSuchUser() => Page.Error(
        StatusCodes.Status404NotFound, "Your profile is gone", "You are signed in, but the user that you were is not here any more.",
        "Sign in again.", SignInRedirect.SignInPath, "Sign in");

    // RFC 9110 section 15.4.4: a GET shows the result of a post, so that reloading it posts nothing again.
    private static SeeOtherResult Back(string done) => new($"{Path}?done={done}");
}
