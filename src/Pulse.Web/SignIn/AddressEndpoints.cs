using Pulse.Identity;
using Pulse.Users;
using Pulse.Web.Audit;
using Pulse.Web.Http;
using Pulse.Web.Mail;
using Pulse.Web.Pages;
using Pulse.Web.Sessions;
using Pulse.Web.Tokens;

namespace Pulse.Web.SignIn;

/// <summary>Requests and confirms a change of address.</summary>
internal static class AddressEndpoints
{
    /// <summary>Maps <c>POST /dashboard/email</c> and both methods of <c>/auth/confirm/email</c>. All require a session.</summary>
    public static void MapAddressChanges(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("").RequireSignIn().ExcludeFromDescription();
        group.MapPost("/dashboard/email", AskAsync).RequireOwnForm().RequireRateLimiting(SignInRateLimit.Policy);
        group.MapGet(AddressChanges.ConfirmPath, ShowAsync);
        group.MapPost(AddressChanges.ConfirmPath, ConfirmAsync).RequireOwnForm();
    }

    private static async Task<IResult> AskAsync(
        HttpContext context, SignedInUser user, AddressChanges changes, MailLimits limits, SignInProviders providers, RecentSignIn recentSignIn)
    {
        if (!recentSignIn.IsRecent(user.Caller)) return SignInErrors.SignInTooOld(context);
        if (!EmailAddress.TryNormalize((await RequestForm.ReadAsync(context))["email"], out var email)) return SignInErrors.EmailUnusable();
        try
        {
            if (providers.EmailUnavailableReason is not null) return SignInErrors.MailUnavailable();
            if (!limits.TryTake(context)) return SignInErrors.TooMany();
            await changes.AskAsync(context.Request, user.Id, email);
            context.Audit(AuditEvents.AddressChangeAsked, email: email);
            return new SeeOtherResult($"{ReturnUrl.Dashboard}?done={DashboardNotice.AddressAsked}");
        }
        catch (MailAddressUnsupportedException)
        {
            return SignInErrors.MailAddressUnsupported();
        }
        catch (MailUnavailableException)
        {
            return SignInErrors.MailUnavailable();
        }
    }

    // Changes nothing, because mail scanners and previews open links.
    private static async Task<IResult> ShowAsync(string? token, SignedInUser user, AddressChanges changes) =>
        await changes.PeekAsync(user, token) is { } email
            ? Page.Of<ConfirmAddressPage>(new() { [nameof(ConfirmAddressPage.Email)] = email, [nameof(ConfirmAddressPage.Token)] = token })
            : SignInErrors.AddressNotConfirmed();

    private static async Task<IResult> ConfirmAsync(HttpContext context, SignedInUser user, AddressChanges changes)
    {
        var form = await RequestForm.ReadAsync(context);
        return await changes.ConfirmAsync(context.Request, user, form["token"]) switch
        {
            ProfileSyncOutcome.Updated => new SeeOtherResult($"{ReturnUrl.Dashboard}?done={DashboardNotice.AddressChanged}"),
            ProfileSyncOutcome.EmailTaken => Refused(context, "another-users", SignInErrors.AddressTaken()),
            _ => Refused(context, "not-good", SignInErrors.AddressNotConfirmed()),
        };
    }

    private static IResult Refused(HttpContext context, string reason, IResult answer)
    {
        context.Audit(AuditEvents.AddressChangeRefused, reason: reason);
        return answer;
    }
}
