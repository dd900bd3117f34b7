using Pulse.Web.Pages;

namespace Pulse.Web.SignIn;

/// <summary>The sign-in page. The targets of its buttons and forms are in <c>Pulse.Web.SignIn</c>.</summary>
internal static class SignInPageEndpoint
{
    private static readonly SignInPage.DevPerson[] s_people =
    [
        new("ada@example.com", "Ada Lovelace"),
        new("grace@example.com", "Grace Hopper"),
        new("alan@example.com", "Alan Turing"),
    ];

    /// <summary>Maps <c>GET /signin</c>.</summary>
    public static void MapSignInPage(this IEndpointRouteBuilder app) => app.MapGet("/signin", Show).AllowAnonymous().ExcludeFromDescription();

    private static IResult Show(string? returnUrl, HttpContext context, SignInProviders providers) =>
        Page.Of<SignInPage>(new()
        {
            [nameof(SignInPage.Providers)] = providers.AllFor(context)
                .Select(provider => new SignInPage.ProviderView(provider.Name, provider.DisplayName, provider.UnavailableReason)).ToArray(),
            [nameof(SignInPage.ReturnUrl)] = ReturnUrl.OrDashboard(returnUrl, context.Request.PathBase),
            [nameof(SignInPage.EmailUnavailableReason)] = providers.EmailUnavailableReason,
            [nameof(SignInPage.People)] = providers.DevAllowed ? s_people : [],
        });
}
