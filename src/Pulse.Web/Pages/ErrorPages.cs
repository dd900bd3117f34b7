using System.Diagnostics;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;
using Pulse.Web.Http;

namespace Pulse.Web.Pages;

/// <summary>Error answers for people. Programs get the same errors as problem details.</summary>
internal static class ErrorPages
{
    private static readonly (string Title, string WhatHappened, string WhatToDo) s_crossSite = (
        "This form is out of date",
        "It was opened before you signed in or out, or it did not come from this site. Nothing was changed.",
        "Go back, reload the page and try again.");

    /// <summary>Whether the client wants a page: it accepts text/html, which API clients never do, and sends no access token.</summary>
    public static bool WantsHtml(HttpRequest request) =>
        !request.Headers.ContainsKey(HeaderNames.Authorization)
        && request.GetTypedHeaders().Accept.Any(type => type.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase) && type.Quality is not 0);

    /// <summary>Writes the page for that problem. Only the problem's kind is used, because its texts are for programmers.</summary>
    public static async Task WriteAsync(HttpContext context, ProblemDetails problem)
    {
        var status = problem.Status ?? context.Response.StatusCode;
        var (title, whatHappened, whatToDo) = problem.Type == ProblemTypes.CrossSite.Type ? s_crossSite : Words(status);
        var reference = status >= StatusCodes.Status500InternalServerError ? Activity.Current?.Id ?? context.TraceIdentifier : null;
        var (href, text) = status == StatusCodes.Status401Unauthorized ? ("/signin", "Sign in") : ("/", "Go to the start page");

        // A renderer serves one rendering, and the one of this request may have failed.
        await using var scope = context.RequestServices.CreateAsyncScope();
        context.RequestServices = scope.ServiceProvider;
        await Page.Error(status, title, whatHappened, whatToDo, href, text, reference).ExecuteAsync(context);
    }

    private static (string Title, string WhatHappened, string WhatToDo) Words(int status) => status switch
    {
        401 => ("Please sign in", "This is only for people who are signed in, and you are not, or not any more.", "Sign in and try again."),
        403 => ("This is not yours to open", "You are signed in, but this page or action is not open to you.", "Sign in as somebody who may do this, or go back."),
        404 => ("There is no such page", "The address leads nowhere: it may be mistyped, or the page has moved.", "Check the address, or begin at the start page."),
        405 => ("This address is not a page", "It exists, but not for opening it in a browser like this.", "Go back and use the buttons of the page that you came from."),
        413 => ("That was too much at once", "What was sent is larger than anything that Pulse takes.", "Go back, shorten it and send it again."),
        429 => ("Too many tries", "There were more requests than one person makes.", "Wait a minute, then try again."),
        503 => ("Pulse is catching its breath", "A part that this page needs does not answer right now. Nothing that you did was wrong.", "Wait a few seconds, then reload this page."),
        >= 500 => ("Something went wrong here", "This is a fault in Pulse, not in what you did.", "Try again. If it happens again, report the reference below."),
        _ => ("That did not work", "The request was not one that Pulse understands.", "Go back, reload the page and try again."),
    };
}
