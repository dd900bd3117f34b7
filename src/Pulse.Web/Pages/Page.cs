using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Pulse.Web.Pages;

/// <summary>Complete pages as an endpoint's answer: Razor components, rendered once on the server, without Blazor in the browser.</summary>
/// <remarks><see cref="Http.SecurityHeaders"/> adds the Content-Security-Policy and the header against caching to all HTML.</remarks>
internal static class Page
{
    /// <summary>A page.</summary>
    /// <param name="parameters">The component's parameters by name; take the names with <see langword="nameof"/>.</param>
    /// <param name="statusCode">HTTP status.</param>
    public static IResult Of<TPage>(Dictionary<string, object?>? parameters = null, int statusCode = StatusCodes.Status200OK)
        where TPage : IComponent =>
        new RazorComponentResult<TPage>(parameters ?? [])
        {
            StatusCode = statusCode,
            // Rendered as a whole, so that a failure half way can still become an error page.
            PreventStreamingRendering = true,
        };

    /// <summary>A page for an error. All texts are encoded, and must be free of secrets.</summary>
    /// <param name="statusCode">HTTP status.</param>
    /// <param name="title">A few words, the page's heading.</param>
    /// <param name="whatHappened">One sentence.</param>
    /// <param name="whatToDo">One sentence.</param>
    /// <param name="wayBackHref">A path of this site.</param>
    /// <param name="wayBackText">The link's text.</param>
    /// <param name="reference">The reference for a report, such as a trace id, or <see langword="null"/>.</param>
    public static IResult Error(
        int statusCode, string title, string whatHappened, string whatToDo, string wayBackHref, string wayBackText, string? reference = null) =>
        Of<ErrorPage>(
            new()
            {
                [nameof(ErrorPage.Title)] = title,
                [nameof(ErrorPage.WhatHappened)] = whatHappened,
                [nameof(ErrorPage.WhatToDo)] = whatToDo,
                [nameof(ErrorPage.WayBackHref)] = wayBackHref,
                [nameof(ErrorPage.WayBackText)] = wayBackText,
                [nameof(ErrorPage.Reference)] = reference,
            },
            statusCode);

    /// <summary>"Check your mail": the page after each request of a sign-in link, whether or not the address is known.</summary>
    /// <param name="email">The requested address.</param>
    /// <param name="validFor">Lifetime of the link.</param>
    /// <param name="returnUrl">The page after the code is accepted.</param>
    /// <param name="devMailHref">The page that shows the mail in Development. <see langword="null"/> if the mail was sent.</param>
    public static IResult CheckMail(string email, TimeSpan validFor, string returnUrl, string? devMailHref = null) =>
        Of<CheckMailPage>(new()
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
    public static IResult BeginSignIn(string provider, string href, bool isSignedIn) =>
        Of<BeginSignInPage>(new()
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
        Of<ConfirmEmailPage>(new()
        {
            [nameof(ConfirmEmailPage.Action)] = action,
            [nameof(ConfirmEmailPage.Email)] = email,
            [nameof(ConfirmEmailPage.IsSomebodyElse)] = isSomebodyElse,
            [nameof(ConfirmEmailPage.Fields)] = fields,
        });

    /// <summary>The mails that Development keeps instead of sending, latest first.</summary>
    public static IResult DevMail(IReadOnlyList<DevMailPage.Mail> mails) =>
        Of<DevMailPage>(new() { [nameof(DevMailPage.Mails)] = mails });
}
