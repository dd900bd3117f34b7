using Pulse.Web.Pages;

namespace Pulse.Web.SignIn;

/// <summary>The pages of signing in.</summary>
internal static class SignInPages
{
    /// <summary>"Check your mail": what everybody sees who asked for a sign-in link, whether or not the address is known.</summary>
    /// <param name="email">The address as it was asked for.</param>
    /// <param name="validFor">How long the link works.</param>
    /// <param name="returnUrl">Where to go after the code is accepted.</param>
    /// <param name="devMailHref">Where Development shows the mail; <see langword="null"/> when it was really sent.</param>
    public static IResult CheckMail(string email, TimeSpan validFor, string returnUrl, string? devMailHref = null) =>
        Page.Of<CheckMailPage>(new()
        {
            [nameof(CheckMailPage.ReturnUrl)] = returnUrl,
            [nameof(CheckMailPage.Email)] = email,
            [nameof(CheckMailPage.ValidFor)] = validFor,
            [nameof(CheckMailPage.DevMailHref)] = devMailHref,
        });

    /// <summary>The button before a sign-in that another site's page, or a browser with a session, has begun.</summary>
    /// <param name="provider">What people call the provider.</param>
    /// <param name="href">Where the button leads.</param>
    /// <param name="isSignedIn">Whether the browser has a session.</param>
    public static IResult BeginSignIn(string provider, string href, bool isSignedIn) =>
        Page.Of<BeginSignInPage>(new()
        {
            [nameof(BeginSignInPage.Provider)] = provider,
            [nameof(BeginSignInPage.Href)] = href,
            [nameof(BeginSignInPage.IsSignedIn)] = isSignedIn,
        });

    /// <summary>Where a sign-in link lands: one button, because mail scanners open links but press nothing.</summary>
    /// <param name="action">The path that the button posts to.</param>
    /// <param name="fields">Hidden fields of the form: the token, where to go next.</param>
    /// <param name="email">Whom it signs in.</param>
    /// <param name="isSomebodyElse">Whether the browser is signed in, and not with that address.</param>
    public static IResult ConfirmEmail(string action, IReadOnlyDictionary<string, string> fields, string email, bool isSomebodyElse) =>
        Page.Of<ConfirmEmailPage>(new()
        {
            [nameof(ConfirmEmailPage.Action)] = action,
            [nameof(ConfirmEmailPage.Email)] = email,
            [nameof(ConfirmEmailPage.IsSomebodyElse)] = isSomebodyElse,
            [nameof(ConfirmEmailPage.Fields)] = fields,
        });
}
