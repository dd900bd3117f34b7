using Pulse.Web.Pages;

namespace Pulse.Web.SignIn;

/// <summary>The pages of signing in.</summary>
internal static class SignInPages
{
    /// <summary>"Check your mail": the page after each request of a sign-in link, whether or not the address is known.</summary>
    /// <param name="email">The requested address.</param>
    /// <param name="validFor">Lifetime of the link.</param>
    /// <param name="returnUrl">The page after the code is accepted.</param>
    /// <param name="devMailHref">The page that shows the mail in Development. <see langword="null"/> if the mail was sent.</param>
    public static IResult CheckMail(string email, TimeSpan validFor, string returnUrl, string? devMailHref = null) =>
        Page.Of<CheckMailPage>(new()
        {
            [nameof(CheckMailPage.ReturnUrl)] = returnUrl,
            [nameof(CheckMailPage.Email)] = email,
            [nameof(CheckMailPage.ValidFor)] = validFor,
            [nameof(CheckMailPage.DevMailHref)] = devMailHref,
        });

    /// <summary>The button before a sign-in that was begun by another site's page, or in a browser with a session.</summary>
    /// <param name="provider">The provider's readable name.</param>
    /// <param name="href">The button's target.</param>
    /// <param name="isSignedIn">Whether the browser has a session.</param>
    public static IResult BeginSignIn(Words provider, string href, bool isSignedIn) =>
        Page.Of<BeginSignInPage>(new()
        {
            [nameof(BeginSignInPage.Provider)] = provider,
            [nameof(BeginSignInPage.Href)] = href,
            [nameof(BeginSignInPage.IsSignedIn)] = isSignedIn,
        });

    /// <summary>The page of a sign-in link. It has one button, because mail scanners open links but press no buttons.</summary>
    /// <param name="action">The path to which the button posts.</param>
    /// <param name="fields">Hidden fields of the form: the token and the next page.</param>
    /// <param name="email">The address that signs in.</param>
    /// <param name="isSomebodyElse">Whether the browser is signed in with another address.</param>
    public static IResult ConfirmEmail(string action, IReadOnlyDictionary<string, string> fields, string email, bool isSomebodyElse) =>
        Page.Of<ConfirmEmailPage>(new()
        {
            [nameof(ConfirmEmailPage.Action)] = action,
            [nameof(ConfirmEmailPage.Email)] = email,
            [nameof(ConfirmEmailPage.IsSomebodyElse)] = isSomebodyElse,
            [nameof(ConfirmEmailPage.Fields)] = fields,
        });
}
