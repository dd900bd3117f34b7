using Pulse.Identity;
using Pulse.Web.Http;
using Pulse.Web.Mail;
using Pulse.Web.Pages;
using Pulse.Web.Users;

namespace Pulse.Web.SignIn;

/// <summary>What <c>POST /auth/signin/email</c> takes as JSON; as a form it has the same fields.</summary>
/// <param name="Email">The mailbox.</param>
/// <param name="ReturnUrl">Where to go after signing in.</param>
internal sealed record EmailSignInRequest(string? Email = null, string? ReturnUrl = null);

/// <summary>Sign-in by a link sent to a mailbox.</summary>
internal static class EmailEndpoints
{
    /// <summary>Maps <c>POST /auth/signin/email</c> and both methods of <c>/auth/callback/email</c>.</summary>
    public static void MapEmailSignIn(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/auth").AllowAnonymous().WithTags("Sign-in");
        group.MapPost("/signin/email", SendAsync).RequireRateLimiting(SignInRateLimit.Policy);
        group.MapGet("/callback/email", ShowAsync);
        group.MapPost("/callback/email", ConfirmAsync).RequireOwnForm();
    }

    // Nothing here depends on whether anybody has that address: the answer to "who is a user?" must not be for everybody.
    private static async Task<IResult> SendAsync(HttpContext context, EmailLinks links, SignInProviders providers, IMailSender mail)
    {
        var isForm = context.Request.HasFormContentType;
        EmailSignInRequest request;
        if (isForm)
        {
            var form = await RequestForm.ReadAsync(context);
            request = new(form["email"], form["returnUrl"]);
        }
        else
        {
            var body = await RequestBody.ReadAsync(context, StrictJson.Default.EmailSignInRequest);
            if (body.Problem is { } unreadable) return unreadable;
            request = body.Value ?? new();
        }

        if (!EmailAddress.TryNormalize(request.Email, out var email))
        {
            if (isForm) return SignInErrors.EmailUnusable();
            var errors = new ValidationErrors();
            errors.Add("email", ProfileRules.EmailMessage);
            return errors.ToProblem();
        }

        try
        {
            if (providers.EmailWhyNot is not null) return NotSent(isForm);
            await links.SendAsync(context.Request, email, ReturnUrl.OrDashboard(request.ReturnUrl));
        }
        catch (MailUnavailableException)
        {
            return NotSent(isForm);
        }

        return isForm
            ? Page.CheckMail(email, links.Lifetime, mail is DevMailbox ? DevMailEndpoint.Path : null)
            : TypedResults.Accepted((string?)null);
    }

    private static IResult NotSent(bool isForm) =>
        isForm ? SignInErrors.MailUnavailable() : ProblemTypes.Unavailable.ToResult("The mail could not be sent. Try again in a minute.");

    // Uses nothing up: mail scanners and previews open links.
    private static async Task<IResult> ShowAsync(HttpContext context, string? token, string? returnUrl, EmailLinks links, SignInCompletion completion)
    {
        if (!EmailToken.TryHash(token, out var hash)) return SignInErrors.LinkUnreadable();

        var link = await links.Link(hash).PeekAsync();
        if (link is not { State: SignInLinkState.Good, Email: { } email }) return SignInErrors.LinkUsedUp(link.State == SignInLinkState.Expired);

        // Says whom: a link that somebody else has sent on would sign its reader in as them (login CSRF).
        return Page.ConfirmEmail(
            EmailLinks.CallbackPath,
            new Dictionary<string, string> { ["token"] = token!, ["returnUrl"] = ReturnUrl.OrDashboard(returnUrl) },
            email,
            await completion.IsSomebodyElseAsync(context, ExternalIdentity.FromMailbox(email)));
    }

    private static async Task<IResult> ConfirmAsync(HttpContext context, EmailLinks links, SignInCompletion completion)
    {
        var form = await RequestForm.ReadAsync(context);
        if (!EmailToken.TryHash(form["token"], out var hash)) return SignInErrors.LinkUnreadable();

        var link = await links.Link(hash).ConsumeAsync();
        return link is { State: SignInLinkState.Good, Email: { } email }
            ? await completion.SignInAsync(context, ExternalIdentity.FromMailbox(email), form["returnUrl"])
            : SignInErrors.LinkUsedUp(link.State == SignInLinkState.Expired);
    }
}
