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
}
