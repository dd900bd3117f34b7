using System.ComponentModel.DataAnnotations;
using Pulse.Identity;
using Pulse.Web.Audit;
using Pulse.Web.Auth;
using Pulse.Web.Http;
using Pulse.Web.Mail;
using Pulse.Web.Pages;
using Pulse.Web.Profiles;

namespace Pulse.Web.SignIn;

/// <summary>JSON body of <c>POST /auth/signin/email</c>. A form has the same fields.</summary>
/// <param name="Email">The mailbox.</param>
/// <param name="ReturnUrl">The page after the sign-in.</param>
internal sealed record EmailSignInRequest([property: Required] string? Email = null, string? ReturnUrl = null);

/// <summary>Sign-in by a link sent to a mailbox.</summary>
internal static class EmailEndpoints
{
    /// <summary>
    /// Maps <c>POST /auth/signin/email</c>, <c>POST /auth/signin/email/code</c> and both methods of <c>/auth/callback/email</c>.
    /// </summary>
    public static void MapEmailSignIn(this IEndpointRouteBuilder app)
    {
        var group = app.MapGroup("/auth").AllowAnonymous().WithTags("Sign-in");
        group.MapPost("/signin/email", SendAsync).RequireRateLimiting(SignInRateLimit.Policy)
            .WithSummary("Send a sign-in link and code to a mailbox")
            .WithDescription("The answer is the same whether or not the address has a user. A form is answered with a page.")
            .Reads(typeof(EmailSignInRequest)).ReadsForm("email", "returnUrl")
            .Produces(StatusCodes.Status202Accepted).Produces<string>(StatusCodes.Status200OK, "text/html")
            .Refuses(ProblemTypes.Validation, ProblemTypes.CrossSite);
        group.MapPost("/signin/email/code", ConfirmCodeAsync).RequireRateLimiting(SignInRateLimit.GuessPolicy).RequireOwnForm()
            .WithSummary("Sign in with the code of a mail").WithDescription("For the form of Pulse's own page. Refusals are pages.")
            .ReadsForm("email", "code", "returnUrl", "formToken").Produces(StatusCodes.Status303SeeOther).Refuses(ProblemTypes.CrossSite);
        group.MapGet("/callback/email", ShowAsync).RequireRateLimiting(SignInRateLimit.GuessPolicy)
            .WithSummary("Show the page behind a sign-in link")
            .WithDescription("The link stays usable, because mail scanners open links. Refusals are pages.")
            .Query("token", "Token of the link.").Query("returnUrl", "Path of this site after the sign-in.")
            .Produces<string>(StatusCodes.Status200OK, "text/html");
        group.MapPost("/callback/email", ConfirmAsync).RequireRateLimiting(SignInRateLimit.GuessPolicy).RequireOwnForm()
            .WithSummary("Sign in with a sign-in link").WithDescription("For the form of Pulse's own page. Refusals are pages.")
            .ReadsForm("token", "returnUrl", "formToken").Produces(StatusCodes.Status303SeeOther).Refuses(ProblemTypes.CrossSite);
    }

    // The answer is independent of whether the address belongs to a user, so that clients cannot find out which addresses have users.
    private static async Task<IResult> SendAsync(
        HttpContext context, EmailLinks links, AskedMails asked, MailLimits limits, SignInProviders providers, SignUpRule signUp, IMailSender mail)
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
            var body = await RequestBody.ReadAsync(context, SignInRequestJson.Default.EmailSignInRequest);
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
            if (providers.EmailUnavailableReason is not null) return NotSent(isForm);
            if (!limits.TryTake(context)) return isForm ? SignInErrors.TooMany() : ProblemTypes.TooManyRequests.ToResult();
            context.Audit(AuditEvents.MailAsked, email: email);
            var returnUrl = ReturnUrl.OrDashboard(request.ReturnUrl, context.Request.PathBase);
            asked.Add(context, signUp.Admits(email)
                ? await links.SendAsync(context.Request, email, returnUrl)
                : links.SendToUser(context.Request, email, returnUrl));
        }
        catch (MailAddressUnsupportedException)
        {
            if (isForm) return SignInErrors.MailAddressUnsupported();
            var errors = new ValidationErrors();
            errors.Add("email", "The mail server of this site takes only addresses whose part before the @ is in ASCII letters.");
            return errors.ToProblem();
        }
        catch (MailUnavailableException)
        {
            return NotSent(isForm);
        }

        return isForm
            ? SignInPages.CheckMail(email, links.Lifetime, ReturnUrl.OrDashboard(request.ReturnUrl, context.Request.PathBase), mail is DevMailbox ? DevMailEndpoint.Path : null)
            : TypedResults.Accepted((string?)null);
    }

    private static IResult NotSent(bool isForm) =>
        isForm ? SignInErrors.MailUnavailable() : ProblemTypes.Unavailable.ToResult("The mail could not be sent. Try again in a minute.");

    // The link remains usable, because mail scanners and previews open links.
    private static async Task<IResult> ShowAsync(
        HttpContext context, string? token, string? returnUrl, EmailLinks links, AskedMails asked, SignInCompletion completion)
    {
        if (!EmailToken.TryHash(token, out var hash)) return LinkUnreadable(context);

        var link = await links.Link(hash).PeekAsync();
        if (link is not { State: SignInLinkState.Good, Email: { } email }) return LinkUsedUp(context, link.State);
        if (!asked.Has(context, token!)) return LinkElsewhere(context);

        return SignInPages.ConfirmEmail(
            EmailLinks.CallbackPath,
            new Dictionary<string, string> { ["token"] = token!, ["returnUrl"] = ReturnUrl.OrDashboard(returnUrl, context.Request.PathBase) },
            email,
            await completion.IsSomebodyElseAsync(context, ExternalIdentity.FromMailbox(email)));
    }

    private static async Task<IResult> ConfirmAsync(HttpContext context, EmailLinks links, AskedMails asked, SignInCompletion completion)
    {
        var form = await RequestForm.ReadAsync(context);
        var token = form["token"].ToString();
        if (!EmailToken.TryHash(token, out var hash)) return LinkUnreadable(context);
        if (!asked.Has(context, token)) return LinkElsewhere(context);

        var (email, state) = await links.RedeemAsync(hash);
        if (email is null) return LinkUsedUp(context, state);
        context.Audit(AuditEvents.MailUsed, email: email, reason: "link");
        return await completion.SignInAsync(context, ExternalIdentity.FromMailbox(email), form["returnUrl"]);
    }

    private static async Task<IResult> ConfirmCodeAsync(HttpContext context, EmailLinks links, AskedMails asked, SignInCompletion completion)
    {
        var form = await RequestForm.ReadAsync(context);
        if (EmailCode.Parse(form["code"]) is not { } code || !EmailAddress.TryNormalize(form["email"], out var email))
            return SignInErrors.CodeWrong(mayTryAgain: true);

        var mails = asked.Find(context, email, code);
        if (mails[true].LastOrDefault() is { } mail && EmailToken.TryHash(mail.Token, out var hash))
        {
            if (await links.RedeemAsync(hash) is not { Email: { } proven }) return CodeRefused(context, email, mayTryAgain: false);
            context.Audit(AuditEvents.MailUsed, email: proven, reason: "code");
            return await completion.SignInAsync(context, ExternalIdentity.FromMailbox(proven), form["returnUrl"]);
        }

        var mayTryAgain = false;
        foreach (var other in mails[false])
        {
            if (EmailToken.TryHash(other.Token, out var otherHash)) mayTryAgain |= await links.Link(otherHash).CountWrongCodeAsync();
        }

        return CodeRefused(context, email, mayTryAgain);
    }

    private static IResult CodeRefused(HttpContext context, string email, bool mayTryAgain)
    {
        context.Audit(AuditEvents.CodeRefused, email: email);
        return SignInErrors.CodeWrong(mayTryAgain);
    }

    private static IResult LinkUnreadable(HttpContext context)
    {
        context.Audit(AuditEvents.LinkRefused, reason: "unreadable");
        return SignInErrors.LinkUnreadable();
    }

    private static IResult LinkElsewhere(HttpContext context)
    {
        context.Audit(AuditEvents.LinkRefused, reason: "other-browser");
        return SignInErrors.LinkElsewhere();
    }

    private static IResult LinkUsedUp(HttpContext context, SignInLinkState state)
    {
        var isExpired = state == SignInLinkState.Expired;
        context.Audit(AuditEvents.LinkRefused, reason: isExpired ? "expired" : "used");
        return SignInErrors.LinkUsedUp(isExpired);
    }
}
