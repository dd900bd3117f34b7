using Microsoft.AspNetCore.Antiforgery;
using Pulse.Web.Http;

namespace Pulse.Web.Pages;

/// <summary>Guards form posts against other sites' forms, on top of the same-origin check that every cookie-authenticated write gets.</summary>
internal static class OwnForms
{
    /// <summary>Lets through only posts that carry the token of a form that Pulse rendered for this browser and user; others get a 403.</summary>
    public static TBuilder RequireOwnForm<TBuilder>(this TBuilder form) where TBuilder : IEndpointConventionBuilder =>
        form.AddEndpointFilter(async (invocation, next) =>
        {
            var context = invocation.HttpContext;
            return await IsOwnAsync(context)
                ? await next(invocation)
                : ProblemTypes.CrossSite.ToResult("The form is out of date: it was opened before you signed in or out. Go back, reload the page and try again.");
        });

    private static async Task<bool> IsOwnAsync(HttpContext context)
    {
        // Read first: of a form that it cannot read, antiforgery throws what says neither whose fault that is nor what to answer.
        if (context.Request.HasFormContentType) await RequestForm.ReadAsync(context);
        return await context.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(context);
    }
}
