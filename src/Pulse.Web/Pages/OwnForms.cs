using Microsoft.AspNetCore.Antiforgery;
using Pulse.Web.Http;

namespace Pulse.Web.Pages;

/// <summary>Protects form posts against other sites' forms, in addition to the same-origin check of every write with a cookie.</summary>
internal static class OwnForms
{
    /// <summary>Admits only posts with the token of a form that Pulse rendered for this browser and user. Other posts get a 403.</summary>
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
        // Read the form first, because antiforgery's exception for malformed forms does not distinguish client errors from server errors.
        if (context.Request.HasFormContentType) await RequestForm.ReadAsync(context);
        return await context.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(context);
    }
}
