using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Pulse.Web.Pages;

/// <summary>Whole pages as an endpoint's answer: Razor components rendered once, on the server, with nothing of Blazor in the browser.</summary>
/// <remarks><see cref="Http.SecurityHeaders"/> adds the Content-Security-Policy and forbids storing to whatever is HTML.</remarks>
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
            // All or nothing: what fails half way can still become an error page.
            PreventStreamingRendering = true,
        };

    /// <summary>A page for what went wrong. Every text is encoded; none may hold a secret.</summary>
    /// <param name="statusCode">HTTP status.</param>
    /// <param name="title">A few words, the page's heading.</param>
    /// <param name="whatHappened">One sentence.</param>
    /// <param name="whatToDo">One sentence.</param>
    /// <param name="wayBackHref">A path of this site.</param>
    /// <param name="wayBackText">The link's words.</param>
    /// <param name="reference">What to quote when reporting it, such as a trace id; <see langword="null"/> for none.</param>
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

    /// <summary>"Check your mail": what everybody sees who asked for a sign-in link, whether or not the address is known.</summary>
    /// <param name="email">The address as it was asked for.</param>
    /// <param name="validFor">How long the link works.</param>
    /// <param name="returnUrl">Where to go after the code is accepted.</param>
    /// <param name="devMailHref">Where Development shows the mail; <see langword="null"/> when it was really sent.</param>
    public static IResult CheckMail(string email, TimeSpan validFor, string returnUrl, string? devMailHref = null) =>
        Of<CheckMailPage>(new()
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
        Of<BeginSignInPage>(new()
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
        Of<ConfirmEmailPage>(new()
        {
            [nameof(ConfirmEmailPage.Action)] = action,
            [nameof(ConfirmEmailPage.Email)] = email,
            [nameof(ConfirmEmailPage.IsSomebodyElse)] = isSomebodyElse,
            [nameof(ConfirmEmailPage.Fields)] = fields,
        });

    /// <summary>The mails that Development did not send, latest first.</summary>
    public static IResult DevMail(IReadOnlyList<DevMailPage.Mail> mails) =>
        Of<DevMailPage>(new() { [nameof(DevMailPage.Mails)] = mails });
}
