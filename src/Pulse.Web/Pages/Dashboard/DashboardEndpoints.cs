using System.Security.Claims;
using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Auth;
using Pulse.Web.Sessions;

namespace Pulse.Web.Pages.Dashboard;

/// <summary>The dashboard, and its forms, which work without script: post, change, redirect, say what was done.</summary>
internal static class DashboardEndpoints
{
    private const string Path = "/dashboard";

    /// <summary>Maps <c>GET /dashboard</c> and the posts below it.</summary>
    public static void MapDashboard(this IEndpointRouteBuilder app)
    {
        var pages = app.MapGroup(Path).RequireSignIn().ExcludeFromDescription();
        pages.MapGet("", ShowAsync);

        var forms = pages.MapGroup("").RequireOwnForm();
        forms.MapPost("/profile", SaveProfileAsync);
        forms.MapPost("/devices/{id:guid}/end", EndDeviceAsync);
        forms.MapPost("/accounts/{provider}/unlink", UnlinkAsync);
        forms.MapPost("/signout", SignOutAsync);
        forms.MapPost("/signout/everywhere", SignOutEverywhereAsync);
    }

    private static async Task<IResult> ShowAsync(ClaimsPrincipal principal, Callers callers, DashboardReader reader, string? done) =>
        await reader.ReadAsync(callers.Read(principal)) is { } view ? Show(view, notice: DashboardNotice.For(done)) : NoSuchUser();

    private static async Task<IResult> SaveProfileAsync(
        HttpContext context, ClaimsPrincipal principal, Callers callers, DashboardReader reader, IGrainFactory grains)
    {
        var caller = callers.Read(principal);
        var form = ProfileForm.From(await context.Request.ReadFormAsync(context.RequestAborted));
        if (form.HasFault)
        {
            return await reader.ReadAsync(caller) is { } view
                ? Show(view, form, new("Your profile was not saved. See below what to correct.", IsBad: true))
                : NoSuchUser();
        }

        var saved = await grains.GetGrain<IUserGrain>(caller.OwnUserId!.Value).SyncProfileAsync(form.ToUpdate());
        return saved.Outcome == ProfileSyncOutcome.Updated ? Back(DashboardNotice.Profile) : NoSuchUser();
    }

    private static async Task<IResult> EndDeviceAsync(
        Guid id, HttpContext context, ClaimsPrincipal principal, Callers callers, IGrainFactory grains, SignInCookie cookie)
    {
        var caller = callers.Read(principal);
        if (Guid.TryParse(caller.SessionId, out var current) && current == id) return await SignOutAsync(context, cookie);

        // One that has ended meanwhile is as good: it is gone, which is what was asked for.
        await grains.GetGrain<IUserSessionsGrain>(caller.OwnUserId!.Value).EndAsync(id);
        return Back(DashboardNotice.Device);
    }

    private static async Task<IResult> UnlinkAsync(string provider, ClaimsPrincipal principal, Callers callers, IGrainFactory grains)
    {
        var userId = callers.Read(principal).OwnUserId!.Value;
        var accounts = await grains.GetGrain<IUserGrain>(userId).ListAccountsAsync();
        foreach (var account in accounts.Where(account => account.Provider == provider))
        {
            var key = new AccountKey(account.Provider, account.ProviderAccountId);
            if (await grains.GetGrain<IAccountGrain>(key.ToString()).UnlinkAsync(userId) == AccountLinkOutcome.LastWayIn) return Back(DashboardNotice.LastWayIn);
        }

        return Back(DashboardNotice.Unlinked);
    }

    private static async Task<IResult> SignOutAsync(HttpContext context, SignInCookie cookie)
    {
        await cookie.SignOutAsync(context);
        return new SeeOtherResult("/");
    }

    private static async Task<IResult> SignOutEverywhereAsync(
        HttpContext context, ClaimsPrincipal principal, Callers callers, IGrainFactory grains, SignInCookie cookie)
    {
        await grains.GetGrain<IUserSessionsGrain>(callers.Read(principal).OwnUserId!.Value).EndAllAsync();
        return await SignOutAsync(context, cookie);
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
        "Sign in again.", "/signin", "Sign in");

    // RFC 9110 section 15.4.4: the result of a post is shown by a GET, so that reloading it posts nothing again.
    private static SeeOtherResult Back(string done) => new($"{Path}?done={done}");
}
