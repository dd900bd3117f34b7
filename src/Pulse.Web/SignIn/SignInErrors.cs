using Pulse.Web.Audit;
using Pulse.Web.Http;
using Pulse.Web.Pages;

namespace Pulse.Web.SignIn;

/// <summary>The pages with the reason for a failed sign-in and the remedy.</summary>
internal static class SignInErrors
{
    private const string SignInPage = "/signin";
    private const string BackToSignIn = "Back to sign-in";

    /// <summary>The provider is unavailable or misbehaves.</summary>
    public static IResult Unavailable(Words provider) => Page.Error(
        StatusCodes.Status503ServiceUnavailable, $"{provider} is not available",
        $"Pulse asked {provider} and got no usable answer, so nobody can sign in with it right now.",
        "Try again in a minute, or sign in another way.", SignInPage, BackToSignIn);

    /// <summary>A part of Pulse that a sign-in needs is unavailable.</summary>
    public static IResult TryAgain() => Page.Error(
        StatusCodes.Status503ServiceUnavailable, "You are not signed in yet",
        "A part of Pulse that keeps users did not answer. Nothing was lost.",
        "Wait a few seconds and sign in again.", SignInPage, BackToSignIn);

    /// <summary>The person pressed "cancel" at the provider.</summary>
    public static IResult Cancelled(Words provider) => Page.Error(
        StatusCodes.Status400BadRequest, "You cancelled",
        $"{provider} did not sign you in because you, or it, said no.",
        "Sign in again when you like, or in another way.", SignInPage, BackToSignIn);

    /// <summary>The state is missing, used, late, or another browser's.</summary>
    public static IResult NotThisBrowser(Words provider) => Page.Error(
        StatusCodes.Status400BadRequest, "This sign-in cannot be finished",
        $"The answer from {provider} does not belong to a sign-in that this browser has begun: it may have been used already, taken too long, or begun elsewhere.",
        "Begin again, in this browser.", SignInPage, BackToSignIn);

    /// <summary>The provider's answer broke a rule.</summary>
    public static IResult NotAccepted(Words provider) => Page.Error(
        StatusCodes.Status400BadRequest, "This sign-in was not accepted",
        $"What came back from {provider} did not prove who you are.",
        "Begin again. If that does not help, sign in another way.", SignInPage, BackToSignIn);

    /// <summary>The account's proven address belongs to another user, and this account stays separate.</summary>
    public static IResult EmailTaken(Words provider) => Page.Error(
        StatusCodes.Status409Conflict, "You may be here already",
        $"The e-mail address of this {provider} account belongs to a user who has signed in with another account, and an address alone does not show that it was you.",
        $"Sign in the way you did before, then link this {provider} account on your dashboard.", SignInPage, BackToSignIn);

    /// <summary>The provider sent no address, and Pulse needs one.</summary>
    public static IResult EmailMissing(Words provider) => Page.Error(
        StatusCodes.Status400BadRequest, "An e-mail address is needed",
        $"{provider} did not tell Pulse your e-mail address.",
        $"Allow {provider} to share it, or sign in another way.", SignInPage, BackToSignIn);

    /// <summary>An operator has disabled the user.</summary>
    public static IResult UserDisabled() => Page.Error(
        StatusCodes.Status403Forbidden, "This user is disabled",
        "The operator of this site has disabled the user that you signed in as, so you are not signed in.",
        "Ask the operator to enable the user.", SignInPage, BackToSignIn);

    /// <summary>The user was erased, or the account was unlinked, during the sign-in.</summary>
    public static IResult AccountGone(Words provider) => Page.Error(
        StatusCodes.Status409Conflict, "This account was just removed",
        $"While you signed in, this {provider} account was unlinked or its user was deleted, so you are not signed in.",
        "Begin again.", SignInPage, BackToSignIn);

    /// <summary>The person lacks a user, and the site's settings forbid a new one.</summary>
    public static IResult SignUpRefused(Words provider) => Page.Error(
        StatusCodes.Status403Forbidden, "You have no access here",
        $"This {provider} account belongs to no user, and this site takes no new users, or only those with an address at certain domains.",
        "Ask the operator of this site for access. If you have been here before, sign in with the account that you used then.", SignInPage, BackToSignIn);

    /// <summary>The account to link belongs to another user.</summary>
    public static IResult AccountTaken(Words provider) => Page.Error(
        StatusCodes.Status409Conflict, "That account is somebody else's here",
        $"The {provider} account that you chose already signs in another user, so it was not linked to you.",
        $"Choose another {provider} account, or sign in with that one and unlink it first.", ReturnUrl.Dashboard, "Back to the dashboard");

    /// <summary>The link was not begun on the dashboard of the signed-in user.</summary>
    public static IResult LinkNotYours() => Page.Error(
        StatusCodes.Status400BadRequest, "Nothing was linked",
        "An account can only be linked from the dashboard of the person who is signed in, and this was begun elsewhere, long ago, or by somebody else.",
        "Go to your dashboard and press Link there.", ReturnUrl.Dashboard, "Go to the dashboard");

    /// <summary>The browser has a session of another user, which this sign-in must preserve.</summary>
    public static IResult SignedInMeanwhile() => Page.Error(
        StatusCodes.Status409Conflict, "This browser is signed in already",
        "While this sign-in was under way, the browser was signed in as another user. That session goes on.",
        "Sign out first, then sign in again.", ReturnUrl.Dashboard, "Go to the dashboard");

    /// <summary>Another browser requested the sign-in link.</summary>
    public static IResult LinkElsewhere() => Page.Error(
        StatusCodes.Status403Forbidden, "This link was asked for in another browser",
        "A sign-in link works in the browser that asked for it. Nothing has happened, and the link is still good.",
        "Go back to that browser and type the code from the mail there, or ask for a new link in this one.", SignInPage, "Get a new link");

    /// <summary>The code is wrong, or another browser requested its mail.</summary>
    public static IResult CodeWrong(bool mayTryAgain) => Page.Error(
        StatusCodes.Status400BadRequest, "That code does not work",
        mayTryAgain ? "The code is not the one in the mail that this browser asked for." : "The code was wrong too often, is too old, or was used already.",
        mayTryAgain ? "Go back and type it again." : "Ask for a new mail.", SignInPage, mayTryAgain ? BackToSignIn : "Get a new mail");

    /// <summary>The mail server lacks support for the address.</summary>
    public static IResult MailAddressUnsupported() => Page.Error(
        StatusCodes.Status400BadRequest, "Mail cannot be sent to this address",
        "The mail server of this site takes only addresses whose part before the @ is in ASCII letters.",
        "Use another address, or sign in another way.", SignInPage, BackToSignIn);

    /// <summary>The request needs a recent sign-in.</summary>
    public static IResult SignInTooOld(HttpContext context)
    {
        context.Audit(AuditEvents.AccessRefused, reason: ProblemTypes.SignInTooOld.Name);
        return Page.Error(
            StatusCodes.Status403Forbidden, "Please sign in again",
            "What changes how you sign in needs a sign-in of the last 10 minutes, and yours is older. Nothing was changed.",
            "Sign in again, then repeat it on your dashboard.", SignInPage, "Sign in again");
    }

    /// <summary>The confirmed address belongs to another user by now.</summary>
    public static IResult AddressTaken() => Page.Error(
        StatusCodes.Status409Conflict, "That address is another user's",
        "Another user has confirmed this e-mail address, so it was not given to you.",
        "Sign in with it to see whose it is, or choose another one.", ReturnUrl.Dashboard, "Back to the dashboard");

    /// <summary>The confirmation is another user's, used, or expired.</summary>
    public static IResult AddressNotConfirmed() => Page.Error(
        StatusCodes.Status410Gone, "The address was not changed",
        "This link has been used, is too old, or was asked for by another user than the one who is signed in here.",
        "Sign in as the user who asked for it, and ask again on the dashboard.", ReturnUrl.Dashboard, "Go to the dashboard");

    /// <summary>The sign-in link is invalid.</summary>
    /// <param name="expired">Whether it has expired. Otherwise it has been used or altered.</param>
    public static IResult LinkUsedUp(bool expired) => Page.Error(
        StatusCodes.Status410Gone, expired ? "This link is too old" : "This link does not work any more",
        expired ? "Sign-in links work for a few minutes only." : "A sign-in link works once. This one has been used, or was changed on its way.",
        "Ask for a new one.", SignInPage, "Get a new link");

    /// <summary>The token in the URL is missing or malformed.</summary>
    public static IResult LinkUnreadable() => Page.Error(
        StatusCodes.Status400BadRequest, "This link is not complete",
        "A part of its address is missing or was changed.",
        "Open it from the mail again, whole, or ask for a new one.", SignInPage, "Get a new link");

    /// <summary>The mail server refused the mail.</summary>
    public static IResult MailUnavailable() => Page.Error(
        StatusCodes.Status503ServiceUnavailable, "The mail could not be sent",
        "The mail server did not take it, so there is no link on its way.",
        "Try again in a minute, or sign in another way.", SignInPage, BackToSignIn);

    /// <summary>The input is a malformed e-mail address.</summary>
    public static IResult EmailUnusable() => Page.Error(
        StatusCodes.Status400BadRequest, "That is no e-mail address",
        "What was entered is not a single e-mail address that Pulse can use.",
        "Go back and check it.", SignInPage, BackToSignIn);

    /// <summary>The name breaks a rule.</summary>
    public static IResult NameUnusable(string fault) => Page.Error(
        StatusCodes.Status400BadRequest, "That name cannot be used", fault, "Go back and change it.", SignInPage, BackToSignIn);

    /// <summary>The client requested more links than one person needs.</summary>
    public static IResult TooMany() => Page.Error(
        StatusCodes.Status429TooManyRequests, "Too many tries",
        "More sign-in mails or codes came from your network than one person needs.",
        "Wait a minute, then try again.", SignInPage, BackToSignIn);
}
