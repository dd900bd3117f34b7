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
        int statusCode, Words title, Words whatHappened, Words whatToDo, string wayBackHref, Words wayBackText, string? reference = null) =>
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
