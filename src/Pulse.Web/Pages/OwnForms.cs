using Microsoft.AspNetCore.Antiforgery;

namespace Pulse.Web.Pages;

/// <summary>Guards form posts against other sites' forms, on top of the same-origin check that every cookie-authenticated write gets.</summary>
internal static class OwnForms
{
    /// <summary>Lets through only posts that carry the token of a form that Pulse rendered for this browser and user; others get an error page.</summary>
    public static TBuilder RequireOwnForm<TBuilder>(this TBuilder form) where TBuilder : IEndpointConventionBuilder =>
        form.AddEndpointFilter(async (invocation, next) =>
        {
            var context = invocation.HttpContext;
            return await IsOwnAsync(context)
                ? await next(invocation)
                : Page.Error(
                    StatusCodes.Status400BadRequest,
                    "This form is out of date",
                    "It was opened before you signed in or out, or it did not come from this site. Nothing was changed.",
                    "Go back, reload the page and try again.",
                    "/dashboard",
                    "Go to the dashboard");
        });

    private static async Task<bool> IsOwnAsync(HttpContext context)
    {
        try
        {
            return await context.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(context);
        }
        catch (InvalidDataException)
        {
            // A form that breaks the framework's limits on fields.
            return false;
        }
    }
}
